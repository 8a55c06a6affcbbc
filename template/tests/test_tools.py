"""Nothing is left running by the embedded PostgreSQL and the launcher, however they end."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tools.embedded_postgres import data_directory, state_directory
from tools.processes import PROJECT

HOLD = """
import sys, time
from tools.embedded_postgres import data_directory, server
with server(data_directory("test"), durable=False) as postgres:
    print(postgres.run("SELECT 6 * 7;"), flush=True)
    time.sleep(float(sys.argv[1]))
    postgres.run("SELECT 1;")
"""
SLEEP = "import time; print('child is up', flush=True); time.sleep(60)"


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    """A temporary folder of their own for the servers of these tests."""
    with tempfile.TemporaryDirectory(dir=state_directory().parent, prefix="t") as name:
        yield Path(name)
        assert not servers(Path(name))


def servers(folder: Path) -> list[psutil.Process]:
    """The PostgreSQL servers whose data is in the folder."""
    return [process for process in psutil.process_iter() if serves(process, folder)]


def serves(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error):  # others end at any time, or belong to somebody else
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        parent = process.parent()
        # A server's process that was just forked still has the server's arguments.
        forked = parent is not None and parent.name() == "postgres"
        return not forked and any(part.startswith(str(folder)) for part in process.cmdline())
    return False


@contextmanager
def started(folder: Path, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """A process that keeps its servers in the folder; waits for its first line."""
    keep = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    process = subprocess.Popen(
        [sys.executable, "-W", "error::RuntimeWarning", *arguments],
        cwd=folder,
        env=keep | {"TMPDIR": str(folder), "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process:
        try:
            lines = iter(process.stdout.readline, "")
            assert any("42" in line or "child is up" in line for line in lines)
            yield process
        finally:
            process.kill()


def test_two_processes_share_a_server_that_ends_with_the_last(folder: Path) -> None:
    with started(folder, "-c", HOLD, "60") as first:
        with started(folder, "-c", HOLD, "0") as second:
            assert len(servers(folder)) == 1
            assert second.wait(20) == 0
        assert len(servers(folder)) == 1
        first.send_signal(signal.SIGINT)
        first.wait(20)
    assert not servers(folder)


def test_server_is_shared_with_a_command_of_another_name(folder: Path) -> None:
    script = folder / "holder"  # `uv run pytest` is a process called "pytest"
    script.write_text(f"#!{sys.executable}\n{HOLD}")
    script.chmod(0o755)
    run = f"import os; os.execv({str(script)!r}, ['holder', '2'])"
    with started(folder, "-c", run) as first:
        with started(folder, "-c", HOLD, "0") as second:
            assert second.wait(20) == 0
        assert first.wait(20) == 0


def test_server_of_a_killed_process_ends_with_the_next(folder: Path) -> None:
    with started(folder, "-c", HOLD, "60") as killed:
        killed.kill()
    assert len(servers(folder)) == 1
    with started(folder, "-c", HOLD, "0") as following:
        assert following.wait(20) == 0
    assert not servers(folder)


def test_number_of_a_killed_process_may_be_another_ones_now(folder: Path) -> None:
    with started(folder, "-c", HOLD, "60") as killed:
        killed.kill()
    (holders,) = folder.glob("*/test/.handle_pids.json")
    holders.write_text(f"[{os.getpid()}]")
    os.utime(holders, (0, 0))
    with started(folder, "-c", HOLD, "0") as following:
        assert following.wait(20) == 0
    assert not servers(folder)


def test_server_starts_after_a_restart_of_the_machine(folder: Path) -> None:
    with started(folder, "-c", HOLD, "0") as first:
        assert first.wait(20) == 0
    (data,) = folder.glob("*/test")
    (data / ".handle_pids.json").write_text("")
    with started(folder, "-c", SLEEP) as innocent:  # has the number that PostgreSQL once had
        stale = [innocent.pid, data, 0, 5432, data, "", "0 0", "ready"]
        (data / "postmaster.pid").write_text("".join(f"{line}\n" for line in stale))
        os.utime(data / "postmaster.pid", (0, 0))
        with started(folder, "-c", HOLD, "0") as following:
            assert following.wait(20) == 0
        assert innocent.poll() is None


def test_many_make_the_first_start_at_once() -> None:
    with tempfile.TemporaryDirectory(dir=state_directory().parent, prefix="t") as name:
        place = Path(name)

        def hold(seconds: str) -> int:
            with started(place, "-c", HOLD, seconds) as holder:
                return holder.wait(20)

        with ThreadPoolExecutor() as pool:
            assert list(pool.map(hold, ["0", "0.5", "1", "0"])) == [0] * 4
        assert not servers(place)


def test_socket_fits_where_temporary_folders_are_deep() -> None:
    socket = data_directory("dev") / ".s.PGSQL.5432"
    assert len(str(socket.relative_to(tempfile.gettempdir()))) <= 103 - 57


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_launcher_leaves_nothing_running(folder: Path, number: signal.Signals) -> None:
    with started(folder, "-m", "tools.run", sys.executable, "-c", SLEEP) as launcher:
        children = psutil.Process(launcher.pid).children()
        assert len(children) == 1
        launcher.send_signal(number)
        assert launcher.wait(20) == 0
    assert not children[0].is_running()
    assert not servers(folder)


def test_next_launcher_stops_what_a_killed_one_left(folder: Path) -> None:
    with started(folder, "-m", "tools.run", sys.executable, "-c", SLEEP) as killed:
        (child,) = psutil.Process(killed.pid).children()
        killed.kill()
    with started(folder, "-m", "tools.run", sys.executable, "-c", SLEEP) as following:
        with suppress(psutil.NoSuchProcess):  # it may end between the two questions
            assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        following.send_signal(signal.SIGTERM)
        assert following.wait(20) == 0
    assert not servers(folder)


def test_home_stays_closed_to_others(folder: Path) -> None:
    """As root, the package opens every folder above its data and its programs."""
    before = stat.S_IMODE(Path.home().stat().st_mode)
    with started(folder, "-c", HOLD, "60") as process:
        (postgres,) = servers(folder)
        assert Path(postgres.exe()).is_relative_to(folder) == (os.geteuid() == 0)
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert stat.S_IMODE(Path.home().stat().st_mode) == before
    assert state_directory().parent == Path(tempfile.gettempdir())


def test_lock_is_in_a_folder_that_no_other_user_shares(folder: Path) -> None:
    with started(folder, "-c", HOLD, "0") as process:
        process.wait(20)
    (lock,) = folder.rglob(".lockfile")
    assert lock.parent.name == "python_PostgresServer"
    assert stat.S_IMODE(lock.parent.parent.stat().st_mode) == 0o700
