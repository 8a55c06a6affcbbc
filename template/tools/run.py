"""Run a command with a migrated database: `python -m tools.run COMMAND …`.

Without `APP_DATABASE_URL` the database is an embedded PostgreSQL, held by this process; the command
runs as a child and may restart itself as often as it likes.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil
from dotenv import dotenv_values

from tools.driver import DRIVER
from tools.embedded_postgres import PROJECT, data_directory, server, state_directory

ALEMBIC = [sys.executable, "-m", "alembic", "-c", str(PROJECT / "alembic.ini")]
GRACE = 25
"""Seconds that a child has to stop."""


def main() -> None:
    """Run what the command line says."""
    if len(sys.argv) == 1:
        sys.exit("Usage: python -m tools.run COMMAND [ARGUMENT …]")
    signal.signal(signal.SIGTERM, _interrupt)
    _stop_leftovers()
    try:
        with _database() as environment:
            if _run([*ALEMBIC, "upgrade", "head"], environment):
                sys.exit("The migration failed; the lines above say why.")
            code = _run(sys.argv[1:], environment)
    except KeyboardInterrupt:
        code = 0
    sys.exit(code)


@contextmanager
def _database() -> Generator[dict[str, str]]:
    """The environment of the child, with the URL of a database."""
    environment = {"APP_ENVIRONMENT": "development", **os.environ}
    name = "APP_DATABASE_URL"
    if os.environ.get(name) or dotenv_values(".env").get(name):
        yield environment
    else:
        with server(data_directory("development"), durable=True) as postgres:
            postgres.ensure_database()
            yield environment | {name: postgres.url("app", DRIVER)}


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run a child in a process group of its own, and stop all of it when told to stop."""
    try:
        child = subprocess.Popen(command, env=environment, start_new_session=True)
    except FileNotFoundError:
        sys.exit(f"There is no command {command[0]}: run `uv sync`.")
    note = _note(child)
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE)
        raise
    finally:
        _kill_group(child.pid)
        note.unlink()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _note(child: subprocess.Popen[bytes]) -> Path:
    """Write down who started the child, for the case that this process is killed."""
    folder = state_directory() / "children"
    folder.mkdir(exist_ok=True)
    note = folder / f"{child.pid}.json"
    processes = [psutil.Process(pid) for pid in (os.getpid(), child.pid)]
    note.write_text(json.dumps([[process.pid, process.create_time()] for process in processes]))
    return note


def _stop_leftovers() -> None:
    """Stop children whose parent is gone."""
    for note in (state_directory() / "children").glob("*.json"):
        parent, child = json.loads(note.read_text())
        if not _lives(*parent):
            if _lives(*child):
                _kill_group(child[0])
            note.unlink(missing_ok=True)


def _lives(pid: int, created: float) -> bool:
    try:
        return bool(psutil.Process(pid).create_time() == created)
    except psutil.Error:
        return False


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    main()
