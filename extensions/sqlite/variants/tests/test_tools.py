"""The launcher of `make run`, and the database that it makes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tools.database import development_database
from tools.processes import PROJECT

SLEEP = "import time; print('child is up', flush=True); time.sleep(60)"


def started(folder: Path, *command: str) -> subprocess.Popen[str]:
    """A launcher on a database in the folder; waits for its child's first line."""
    url = f"sqlite+aiosqlite:///{folder / 'run.db'}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.run", *command],
        cwd=PROJECT,
        env=os.environ | {"APP_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert any("child is up" in line for line in iter(process.stdout.readline, ""))
    return process


def test_development_has_a_file_in_the_project() -> None:
    with development_database() as url:
        assert url == f"sqlite+aiosqlite:///{PROJECT / 'app.db'}"
    assert "app.db*" in (PROJECT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_launcher_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path, sys.executable, "-c", SLEEP) as launcher:
        children = psutil.Process(launcher.pid).children()
        assert len(children) == 1
        launcher.send_signal(number)
        assert launcher.wait(20) == 0
    assert not children[0].is_running()
    assert (tmp_path / "run.db").stat().st_size


def test_next_launcher_stops_what_a_killed_one_left(tmp_path: Path) -> None:
    with started(tmp_path, sys.executable, "-c", SLEEP) as killed:
        (child,) = psutil.Process(killed.pid).children()
        killed.kill()
    with started(tmp_path, sys.executable, "-c", SLEEP) as following:
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        following.send_signal(signal.SIGTERM)
        assert following.wait(20) == 0
