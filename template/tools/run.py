"""Run a command with what it needs, and a migrated database: `python -m tools.run COMMAND …`.

What no setting names is in `tools.needs`, and held by this process; the command runs as a child and
may restart itself as often as it likes.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic
from types import FrameType

import psutil
from dotenv import dotenv_values

from tools.needs import NEEDS
from tools.processes import CLOCK, PROJECT

ALEMBIC = [sys.executable, "-m", "alembic", "-c", str(PROJECT / "pyproject.toml")]
GRACE = 25
"""Seconds that a child has to stop."""
MARK = "STARTED_BY"
"""The variable by which a child, and what it starts, can be found when this process was killed."""


class Stop:
    """Whether Ctrl-C or SIGTERM came. An exception instead could come where a child gets lost."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.child: subprocess.Popen[bytes] | None = None
        # SIGHUP comes when the terminal is closed; Windows has none.
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self.request)

    def request(self, _number: int, _frame: FrameType | None) -> None:
        """Ask the child to stop."""
        self.deadline = monotonic() + GRACE
        if self.child:
            self.child.terminate()


def main() -> None:
    """Run what the command line says."""
    if len(sys.argv) == 1:
        sys.exit("Usage: python -m tools.run COMMAND [ARGUMENT …]")
    stop = Stop()
    _kill_leftovers()
    with _environment() as environment:
        if _run([*ALEMBIC, "upgrade", "head"], environment, stop):
            sys.exit("The migration failed; the lines above say why.")
        code = _run(sys.argv[1:], environment, stop)
    sys.exit(code)


@contextmanager
def _environment() -> Generator[dict[str, str]]:
    """The environment of the child, with the URLs of what it needs."""
    settings = {**dotenv_values(".env"), **os.environ}
    # What `.env` says must not be hidden by a variable.
    kind = settings.get("APP_ENVIRONMENT") or "development"
    environment = {**os.environ, "APP_ENVIRONMENT": kind}
    with ExitStack() as stack:
        for name, need in NEEDS.items():
            if not settings.get(name):
                environment[name] = stack.enter_context(need())
        yield environment


def _run(command: list[str], environment: dict[str, str], stop: Stop) -> int:
    """Run a child in a process group of its own; 0 where it was told to stop."""
    if stop.deadline is not None:
        return 0
    mark = {MARK: f"{os.getpid()} {psutil.Process().create_time()} {PROJECT}"}
    try:
        child = subprocess.Popen(command, env=environment | mark, start_new_session=True)
    except FileNotFoundError:
        sys.exit(f"There is no command {command[0]}: run `uv sync`.")
    stop.child = child
    while child.poll() is None:
        if stop.deadline is not None:
            child.terminate()
            if monotonic() > stop.deadline:
                break
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.5)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait() if stop.deadline is None else 0


def _kill_leftovers() -> None:
    """End what another launcher of this project left behind when it was killed."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, ValueError):
            pid, created, project = process.environ().get(MARK, "").split(" ", 2)
            if project == str(PROJECT) and not _lives(int(pid), float(created)):
                process.kill()


def _lives(pid: int, created: float) -> bool:
    """Whether the process lives; its number alone may have gone to another one since."""
    try:
        return abs(psutil.Process(pid).create_time() - created) <= CLOCK
    except psutil.Error:
        return False


if __name__ == "__main__":
    main()
