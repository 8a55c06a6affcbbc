"""What an image and compose.yaml promise by name: user, health, permissions, ports."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

# Whatever runs the image drops the privileges that it does not need.
HARDENED: Mapping[str, object] = {
    "read_only": True,
    "tmpfs": ["/tmp"],  # noqa: S108 - the folder in the container
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
}
HEALTH_OPTIONS = ("--interval=", "--timeout=", "--start-period=", "--start-interval=")
# It exits by itself, so its exit status is its health.
ENDS = "migrate"


def image_problems(text: str) -> Iterator[str]:
    """Yield a sentence for each promise that a Dockerfile does not keep."""
    stage = re.split(r"(?m)^FROM ", text)[-1]
    users = re.findall(r"(?m)^USER (.+)$", stage)
    if len(users) != 1 or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[0]):
        yield f"USER is {users or 'missing'}: name one user and group by number, not root"
    yield from _port_problems(stage)
    for path in re.findall(r"(?m)^COPY --from=build /app/(\S+) ", stage):
        if not re.search(rf"(?m)^RUN chmod -R a\+rX .*\b{re.escape(path)}(?!\S)", text):
            yield f"{path} is copied with the permissions of the checkout: chmod -R a+rX it before"
    owner = users[0].split(":") if users and ":" in users[0] else ["", ""]
    for volume in re.findall(r"(?m)^VOLUME (\S+)$", stage):
        if f"install -d -o {owner[0]} -g {owner[1]} {volume}\n" not in stage:
            yield f"the volume {volume} does not belong to the user {':'.join(owner)}"


def exposed(dockerfile: str) -> str:
    """Return the port that an image exposes; empty where it is not one."""
    found = re.findall(r"(?m)^EXPOSE (\d+)$", dockerfile)
    return found[0] if len(found) == 1 else ""


def compose_problems(text: str, dockerfile: str) -> Iterator[str]:
    """Yield a sentence for each promise that compose.yaml does not keep, with this image."""
    services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    own = services["service"]["image"]
    for name, service in services.items():
        if service["image"] == own:
            for key, value in HARDENED.items():
                if service.get(key) != value:
                    yield f"{name} has {key}: {service.get(key)} instead of {value}"
        health = service.get("healthcheck", {})
        if name != ENDS and health.get("disable"):
            yield f"{name} has no health check"
        if name != "service" and service["image"] != own and "test" not in health:
            yield f"{name} has no health check"
        for port in service.get("ports", ()):
            if not port.startswith("127.0.0.1:"):
                yield f"{name} is reached from other machines by {port}"
    ports = [port.rpartition(":")[2] for port in services["service"].get("ports", ())]
    if ports != [exposed(dockerfile)]:
        yield f"service has the ports {ports}, and the image exposes {exposed(dockerfile)}"


def _port_problems(stage: str) -> Iterator[str]:
    """Yield a sentence where the server, its health check and EXPOSE mean different ports."""
    port = exposed(stage)
    if not port:
        yield "EXPOSE names no port, or several"
    commands = [json.loads(words) for words in re.findall(r"(?m)^CMD (\[.*\])$", stage)]
    words: list[str] = commands[-1] if commands else []
    told = dict(itertools.pairwise(words))
    if (told.get("--host"), told.get("--port")) != ("0.0.0.0", port):  # noqa: S104 - in a container
        yield f"CMD serves at {told.get('--host')}:{told.get('--port')}, and EXPOSE is {port}"
    check = re.search(r"(?m)^HEALTHCHECK (.*)\\\n +CMD (.*)$", stage)
    if check is None:
        yield "there is no HEALTHCHECK"
        return
    if f"http://127.0.0.1:{port}/readyz" not in check[2]:
        yield f"HEALTHCHECK does not ask http://127.0.0.1:{port}/readyz"
    yield from (f"HEALTHCHECK lacks {o.rstrip('=')}" for o in HEALTH_OPTIONS if o not in check[1])
