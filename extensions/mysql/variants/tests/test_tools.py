"""The launcher of `make run`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest
from sqlalchemy import URL

from tools.processes import PROJECT

SLEEP = "import time; print('child is up', flush=True); time.sleep(60)"
Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(own_database: URL) -> Start:
    """Start a launcher; waits for its child's first line."""

    def started() -> subprocess.Popen[str]:
        url = own_database.render_as_string(hide_password=False)
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.run", sys.executable, "-c", SLEEP],
            cwd=PROJECT,
            env=os.environ | {"APP_DATABASE_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        assert any("child is up" in line for line in iter(process.stdout.readline, ""))
        return process

    return started


def test_launcher_without_a_url_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.run", "true"],
        cwd=PROJECT,
        env=os.environ | {"APP_DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Set APP_DATABASE_URL")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_launcher_leaves_nothing_running(start: Start, number: signal.Signals) -> None:
    with start() as launcher:
        children = psutil.Process(launcher.pid).children()
        assert len(children) == 1
        launcher.send_signal(number)
        assert launcher.wait(20) == 0
    assert not children[0].is_running()


def test_next_launcher_stops_what_a_killed_one_left(start: Start) -> None:
    with start() as killed:
        (child,) = psutil.Process(killed.pid).children()
        killed.kill()
    with start() as following:
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        following.send_signal(signal.SIGTERM)
        assert following.wait(20) == 0
