"""Real servers of several versions, for `make versions`: what a part says by `[versions]`.

A container engine runs the image of a version. Without one, root can run the package of a Debian
suite in a folder, by mmdebstrap.
"""

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from plinth.harness.hints import FOLDERS, Server
from plinth.harness.servers import ServerMissingError, free_port, held
from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answers

ROOTS = REPOSITORY / "build" / "servers"
Log: TypeAlias = Callable[[], str]
SHOWN = 500
"""So much of the end of a log is shown."""
SECONDS_TO_START = 180
SECONDS_TO_ANSWER = 2
# Namespaces of its own: background processes and mounts end with the command.
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True)
class Version:
    """A version of the server of a part, and how it is started."""

    part: str
    name: str
    image: str
    port: int
    """The port on which the image listens."""
    url: str
    """How tests connect, with `{port}` and answers, such as `{database_driver}`."""
    setting: str
    """The variable by which the project's tests are told of it."""
    programs: Sequence[str]
    """The answers of the programs that are tried on it."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: Sequence[str] = ()
    """The arguments of the image's command."""
    hello: str = ""
    """What a client sends first, each character a byte."""
    reply: str = ""
    """What the server's first bytes have in them; empty where any will do."""
    suite: str = ""
    """The Debian suite that has this version; empty where none has."""
    packages: Sequence[str] = ()
    start: str = ""
    """The shell command that starts the suite's server, on `$PORT` with its data in `$DATA`."""

    def server(self, port: int, answers: Answers) -> Server:
        """Return how the tests of projects with these answers are told of a running one."""
        url = self.url.format(port=port, **answers)
        return Server(f"{self.part.upper()}_VERSION_URL", url, self.setting)


def read(template: Path) -> list[Version]:
    """Return the versions that the parts of a template name."""
    found = [
        version
        for folder in FOLDERS
        for file in sorted((template / folder).glob("*/harness.toml"))
        for version in _of_part(file.parent.name, tomllib.loads(file.read_text("utf-8")))
    ]
    # A suite is unpacked once, with the packages of all its versions.
    packages: defaultdict[str, set[str]] = defaultdict(set)
    for version in found:
        packages[version.suite].update(version.packages)
    return [replace(version, packages=sorted(packages[version.suite])) for version in found]


def _of_part(part: str, content: Mapping[str, Any]) -> Iterator[Version]:
    common = {**content.get("versions", {})}
    for own in common.pop("server", ()):
        yield Version(part, **{**common, **own})


def way(version: Version) -> str:
    """Return how this machine can start a version: `container`, `suite`, or empty if it cannot."""
    if shutil.which("docker") and _docker("info").returncode == 0:
        return "container"
    can_unpack = os.getuid() == 0 and shutil.which("mmdebstrap") and shutil.which(ALONE[0])
    return "suite" if version.suite and can_unpack else ""


@contextlib.contextmanager
def running(version: Version) -> Generator[int]:
    """Run a version and yield the port of this machine at which it answers.

    Raises ServerMissingError where it does not start.
    """
    port = free_port()
    start = container if way(version) == "container" else from_suite
    with start(version, port) as log:
        deadline = time.monotonic() + SECONDS_TO_START
        while not replies(version, port):
            if time.monotonic() > deadline:
                raise ServerMissingError(f"{version.name} does not start: {log()[-SHOWN:]}")
            time.sleep(0.2)
        yield port


def replies(version: Version, port: int) -> bool:
    """Return whether it speaks its protocol: an engine's proxy accepts connections before that."""
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS_TO_ANSWER) as client:
            client.sendall(version.hello.encode("latin-1"))
            reply = client.recv(4096)
    except OSError:
        return False
    return bool(reply) and version.reply.encode("latin-1") in reply


@contextlib.contextmanager
def container(version: Version, port: int) -> Generator[Log]:
    """Run the image; yields what reads its log."""
    name = f"plinth-{version.part}-{port}"
    variables = [f"--env={key}={value}" for key, value in version.environment.items()]
    options = ["--detach", "--rm", f"--name={name}", f"--publish=127.0.0.1:{port}:{version.port}"]
    started = _docker("run", *options, *variables, version.image, *version.arguments)
    if started.returncode:
        raise ServerMissingError(f"{version.name} does not start: {started.stderr[-SHOWN:]}")
    try:
        yield lambda: _docker("logs", name).stderr
    finally:
        _docker("rm", "--force", name)


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


@contextlib.contextmanager
def from_suite(version: Version, port: int) -> Generator[Log]:
    """Run the server of a Debian suite; yields what reads its log."""
    root = _unpacked(version)
    data = f"srv/{version.part}-{port}"
    # The server finds this machine's name where it looks for its own.
    shutil.copy("/etc/hosts", root / "etc" / "hosts")
    variables = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"PORT={port}", f"DATA=/{data}"]
    alone = [*ALONE, f"--root={root}", "env", "--ignore-environment", *variables]
    shell = f"mkdir --mode=777 /{data} && cd /{data} && {version.start}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with held([*alone, "sh", "-c", shell], folder, ending="KILL"):
                yield lambda: Path(folder, "log.txt").read_text("utf-8", errors="replace")
        finally:
            shutil.rmtree(root / data, ignore_errors=True)


def _unpacked(version: Version) -> Path:
    """Return a folder with the packages of the suite, unpacked once."""
    digest = hashlib.sha256(" ".join(version.packages).encode()).hexdigest()[:8]
    root = ROOTS / f"{version.suite}-{digest}"
    if not root.exists():
        ROOTS.mkdir(parents=True, exist_ok=True)
        new = root.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        # Not every machine knows the keys of the newest suites, and a mirror may be behind.
        trusted = [
            '--aptopt=Acquire::AllowInsecureRepositories "true"',
            '--aptopt=APT::Get::AllowUnauthenticated "true"',
            '--aptopt=Acquire::Check-Valid-Until "false"',
        ]
        packages = f"--include={','.join(version.packages)}"
        command = [
            *ALONE,
            "mmdebstrap",
            "--variant=apt",
            *trusted,
            packages,
            version.suite,
            str(new),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerMissingError(f"{version.name} cannot be unpacked: {done.stderr[-SHOWN:]}")
        new.rename(root)
    return root
