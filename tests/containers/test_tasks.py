"""Background work in the containers of compose.yaml: from a registration to its mail."""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from plinth.harness.project import GeneratedProject
from plinth.harness.space import Answers
from tests.containers.conftest import (
    ACCOUNT,
    client_of,
    compose_up,
    composed,
    inspect,
    render,
    slug_of,
)

# Each library and each broker, one of them behind an outbox.
QUEUES: Mapping[str, Answers] = {
    "taskiq-redis": {"tasks": "taskiq", "broker": "redis", "outbox": True},
    "taskiq-rabbitmq": {"tasks": "taskiq", "broker": "rabbitmq", "outbox": False},
    "taskiq-nats": {"tasks": "taskiq", "broker": "nats", "outbox": False},
    "arq-redis": {"tasks": "arq", "broker": "redis", "outbox": False},
    "celery-rabbitmq": {"tasks": "celery", "broker": "rabbitmq", "outbox": False},
    "celery-redis": {"tasks": "celery", "broker": "redis", "outbox": False},
    "dramatiq-rabbitmq": {"tasks": "dramatiq", "broker": "rabbitmq", "outbox": False},
    "dramatiq-redis": {"tasks": "dramatiq", "broker": "redis", "outbox": False},
    "rq-redis": {"tasks": "rq", "broker": "redis", "outbox": False},
}
ANSWERS: Answers = {"database": "postgresql", "auth": "jwt"}
# Seconds until a mail is there, and until the service has found its broker again.
PATIENCE = 60
TROUBLE = re.compile(r'"level": "(warning|error|critical)"|Traceback|[a-z]Warning: ')

Record = Callable[[str, object], None]


@pytest.fixture(scope="module", params=QUEUES)
def project(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GeneratedProject]:
    """Return a project of which all services run."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name) / "service"
    project = render(template, folder, {**ANSWERS, **QUEUES[name]})
    project.run("uv", "lock", "--quiet")
    try:
        with composed(project):
            yield project
    finally:
        project.run("docker", "image", "rm", "--force", slug_of(project))


def broker_of(project: GeneratedProject) -> str:
    """Return which broker was chosen."""
    return str(project.answers["broker"])


def container_of(project: GeneratedProject, service: str) -> str:
    """Return the container of a service, also of one that was stopped."""
    return project.run("docker", "compose", "ps", "--all", "--quiet", service).strip()


def logs(project: GeneratedProject, *services: str) -> str:
    """Return what services have logged, without any all of them."""
    return project.run("docker", "compose", "logs", "--no-color", "--no-log-prefix", *services)


def register(project: GeneratedProject) -> str:
    """Open an account, as soon as the service can, and return its address."""
    account = {**ACCOUNT, "email": f"{secrets.token_hex(4)}@example.com"}
    with client_of(project) as client:
        ends = time.monotonic() + PATIENCE
        while (answer := client.post("/auth/register", json=account)).status_code == 503:
            assert time.monotonic() < ends, logs(project)
            time.sleep(1)
    assert answer.status_code == 201, answer.text
    return account["email"]


def expect_mail(project: GeneratedProject, address: str) -> None:
    """Wait until the worker has sent a mail to an address."""
    for _ in range(PATIENCE):
        if f'"to": "{address}"' in logs(project, "worker"):
            return
        time.sleep(1)
    pytest.fail(f"no mail to {address}:\n{logs(project)}")


def test_mail(project: GeneratedProject) -> None:
    """The first registration after the first start is answered by a mail, and nothing warns."""
    expect_mail(project, register(project))
    assert not TROUBLE.search(said := logs(project)), said


def test_unprivileged(project: GeneratedProject) -> None:
    """Every process runs as a user with no rights and without a file system to write to."""
    services = project.run("docker", "compose", "ps", "--services").split()
    for service in {*services} - {"database", broker_of(project)}:
        host = inspect(project, container_of(project, service))["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        user = project.run("docker", "compose", "exec", "--no-tty", service, "id", "-u")
        assert user.strip() == "10001", service


def test_health(project: GeneratedProject) -> None:
    """A worker that goes round is healthy."""
    state = inspect(project, container_of(project, "worker"))["State"]
    assert state["Health"]["Status"] == "healthy"


def test_kept_tasks(project: GeneratedProject) -> None:
    """What was sent is done, although the worker was killed and the broker restarted."""
    project.run("docker", "compose", "kill", "--signal=SIGKILL", "worker")
    address = register(project)
    project.run("docker", "compose", "restart", broker_of(project))
    compose_up(project, "worker")
    expect_mail(project, address)


def test_restarted_broker(project: GeneratedProject) -> None:
    """All that is connected to the broker finds it again, and no process ends over it."""
    project.run("docker", "compose", "restart", broker_of(project))
    expect_mail(project, register(project))
    # What the process that watches over it says of a worker that ended by itself.
    assert "is dead" not in (said := logs(project, "worker")), said


def test_stop(project: GeneratedProject, record_property: Record) -> None:
    """A worker that has nothing to do is gone soon, and says that all went well."""
    started = time.monotonic()
    project.run("docker", "compose", "stop", "worker")
    seconds = time.monotonic() - started
    record_property(f"ms to stop a worker of {broker_of(project)}", round(seconds * 1000))
    # One that had to be killed in the end would say 137.
    assert inspect(project, container_of(project, "worker"))["State"]["ExitCode"] == 0
    compose_up(project, "worker")
