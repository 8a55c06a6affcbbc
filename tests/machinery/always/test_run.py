"""The launcher: its child runs on a migrated database and is stopped, however the launcher ends."""

# Depends on: tools/ tests/machinery/always/launcher.py
# On every change, once for: database broker

import signal
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.machinery.always.launcher import (
    SLEEP,
    TIMEOUT,
    create_project,
    launch,
    left_running,
    started,
)

LAUNCHER = ["-m", "tools.run", *SLEEP]
PRINT = [
    sys.executable,
    "-c",
    "import os; print(os.environ['APP_DATABASE_URL'], open('migrated').read())",
]


@pytest.fixture(scope="module")
def project() -> Generator[Path]:
    """A project for the tests of this module, at a path that is short enough for sockets."""
    with TemporaryDirectory(prefix="t") as name:
        yield create_project(Path(name))


def has_ended(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def test_command_runs_on_a_migrated_database(project: Path) -> None:
    done = launch(project, PRINT, APP_DATABASE_URL="given")
    assert (done.returncode, done.stdout) == (0, "given given\n"), done.stderr


def test_exit_code_is_that_of_the_command(project: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    assert launch(project, command, APP_DATABASE_URL="given").returncode == 7


def test_command_does_not_run_after_a_failed_migration(project: Path) -> None:
    done = launch(project, ["echo", "it runs"], APP_DATABASE_URL="broken")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "It is broken.\n"


def test_unknown_command_is_named(project: Path) -> None:
    done = launch(project, ["no-such-command"], APP_DATABASE_URL="given")
    assert done.returncode == 1
    assert "There is no command no-such-command: run `uv sync`." in done.stderr


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ([sys.executable, "-c", "raise SystemExit(7)"], "given"),
        (["no-such-command"], "given"),
        (["echo"], "broken"),
    ],
    ids=["it fails", "there is none", "the migration fails"],
)
def test_no_server_stays_behind_a_failure(project: Path, command: list[str], url: str) -> None:
    assert launch(project, command, APP_DATABASE_URL=url).returncode
    assert left_running(project) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_launcher_stops_its_child(project: Path, number: signal.Signals) -> None:
    with started(project, LAUNCHER, APP_DATABASE_URL="given") as launcher:
        (child,) = psutil.Process(launcher.pid).children()
        launcher.send_signal(number)
        assert launcher.wait(TIMEOUT) == 0
    assert has_ended(child)
    assert left_running(project) == []


def test_next_launcher_stops_the_child_of_a_killed_one(project: Path) -> None:
    with started(project, LAUNCHER, APP_DATABASE_URL="given") as killed:
        (child,) = psutil.Process(killed.pid).children()
        killed.kill()
    assert not has_ended(child)
    with started(project, LAUNCHER, APP_DATABASE_URL="given") as following:
        assert has_ended(child)
        following.send_signal(signal.SIGTERM)
        assert following.wait(TIMEOUT) == 0
