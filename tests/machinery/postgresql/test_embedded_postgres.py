"""The embedded PostgreSQL: processes share it, and it stops with the last of them."""

# Depends on: tools/__init__.py tools/embedded_postgres.py tests/machinery/always/launcher.py
# On every change, once for: database

import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.machinery.always.launcher import (
    SLEEP,
    TIMEOUT,
    create_project,
    environment,
    launch,
    started,
)
from tools.embedded_postgres import state_directory

HOLD = """
import sys, time
from tools.embedded_postgres import postgres_server
with postgres_server("test", durable=False) as postgres:
    print(postgres.run("SELECT 6 * 7;"), flush=True)
    if sys.argv[1] == "wait":
        time.sleep(600)
    time.sleep(float(sys.argv[1]))
    postgres.run("SELECT 1;")
"""
START = [
    "-c",
    "from tools.embedded_postgres import postgres_server as p\nwith p('test', durable=False): pass",
]
LAUNCHER = ["-m", "tools.run", *SLEEP]


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    """A temporary folder for the servers of these tests, with a project."""
    with TemporaryDirectory(dir=state_directory().parent, prefix="t") as name:
        create_project(Path(name))
        yield Path(name)
        assert not servers(Path(name))


@pytest.fixture(scope="module")
def project(folder: Path) -> Path:
    """The project in the folder."""
    return folder / "project"


def servers(folder: Path) -> list[psutil.Process]:
    """The PostgreSQL servers whose data is in the folder."""
    return [process for process in psutil.process_iter() if serves(process, folder)]


def serves(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error):  # a process may end meanwhile, or be another user's
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        parent = process.parent()
        # A process that the server has just forked still has the arguments of the server.
        forked = parent is not None and parent.name() == "postgres"
        return not forked and any(part.startswith(str(folder)) for part in process.cmdline())
    return False


def hold(seconds: str) -> list[str]:
    """The arguments of a process that holds the server for so long."""
    return ["-c", HOLD, seconds]


def test_two_processes_share_a_server_that_ends_with_the_last(folder: Path, project: Path) -> None:
    with started(project, hold("wait")) as first:
        with started(project, hold("0")) as second:
            assert len(servers(folder)) == 1
            assert second.wait(TIMEOUT) == 0
        assert len(servers(folder)) == 1
        first.send_signal(signal.SIGINT)
        first.wait(TIMEOUT)
    assert not servers(folder)


def test_server_is_shared_with_a_command_of_another_name(folder: Path, project: Path) -> None:
    script = folder / "holder"  # `uv run pytest` is a process called "pytest"
    script.write_text(f"#!{sys.executable}\n{HOLD}")
    script.chmod(0o755)
    run = f"import os; os.execve({str(script)!r}, ['holder', '2'], os.environ)"
    with started(project, ["-c", run], PYTHONPATH=str(project)) as first:
        with started(project, hold("0")) as second:
            assert second.wait(TIMEOUT) == 0
        assert first.wait(TIMEOUT) == 0


def test_server_of_a_killed_process_ends_with_the_next(folder: Path, project: Path) -> None:
    with started(project, hold("wait")) as killed:
        killed.kill()
    assert len(servers(folder)) == 1
    with started(project, hold("0")) as following:
        assert following.wait(TIMEOUT) == 0
    assert not servers(folder)


def test_server_starts_after_a_restart_of_the_machine(folder: Path, project: Path) -> None:
    with started(project, hold("0")) as first:
        assert first.wait(TIMEOUT) == 0
    (data,) = folder.glob("*/test/data")
    with started(project, SLEEP[1:]) as unrelated:  # has the number that PostgreSQL once had
        stale = [unrelated.pid, data, 0, 5432, data, "", "0 0", "ready"]
        (data / "postmaster.pid").write_text("".join(f"{line}\n" for line in stale))
        os.utime(data / "postmaster.pid", (0, 0))
        with started(project, hold("0")) as following:
            assert following.wait(TIMEOUT) == 0
        assert unrelated.poll() is None


def test_concurrent_first_starts() -> None:
    with TemporaryDirectory(dir=state_directory().parent, prefix="t") as name:
        project = create_project(Path(name))

        def run(seconds: str) -> int:
            with started(project, hold(seconds)) as process:
                return process.wait(TIMEOUT)

        with ThreadPoolExecutor() as pool:
            assert list(pool.map(run, ["0", "0.5", "1", "0"])) == [0] * 4
        assert not servers(Path(name))


def test_path_of_the_socket_is_short_enough_below_a_long_temporary_folder() -> None:
    socket = state_directory() / "dev" / ".s.PGSQL.5432"
    assert len(str(socket.relative_to(tempfile.gettempdir()))) <= 103 - 57


def test_launcher_stops_the_server_that_it_started(folder: Path, project: Path) -> None:
    with started(project, LAUNCHER, APP_DATABASE_URL="") as launcher:
        assert len(servers(folder)) == 1
        launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(TIMEOUT) == 0
    assert "host=" in (project / "migrated").read_text()
    assert not servers(folder)


def test_next_launcher_stops_the_server_of_a_killed_one(folder: Path, project: Path) -> None:
    with started(project, LAUNCHER, APP_DATABASE_URL="") as killed:
        killed.kill()
    assert len(servers(folder)) == 1
    with started(project, LAUNCHER, APP_DATABASE_URL="") as following:
        following.send_signal(signal.SIGTERM)
        assert following.wait(TIMEOUT) == 0
    assert not servers(folder)


def test_home_folder_keeps_its_permissions(folder: Path, project: Path) -> None:
    """As root, the package makes the parents of its data and programs readable to all users."""
    before = stat.S_IMODE(Path.home().stat().st_mode)
    with started(project, hold("wait")) as process:
        (postgres,) = servers(folder)
        assert Path(postgres.exe()).is_relative_to(folder) == (os.geteuid() == 0)
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT)
    assert stat.S_IMODE(Path.home().stat().st_mode) == before
    assert state_directory().parent == Path(tempfile.gettempdir())


def test_other_users_cannot_reach_data_and_socket(folder: Path, project: Path) -> None:
    with started(project, hold("0")) as process:
        process.wait(TIMEOUT)
    (data,) = folder.glob("*/test/data")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE(data.parent.stat().st_mode) == 0o700


def test_temporary_folder_with_a_blank(folder: Path, project: Path) -> None:
    temporary = folder / "a b"
    temporary.mkdir(mode=0o711)
    with started(project, hold("0"), TMPDIR=str(temporary)) as process:
        assert process.wait(TIMEOUT) == 0


def test_variables_of_other_servers_change_nothing(folder: Path, project: Path) -> None:
    with started(project, hold("0"), PGPORT="5433", PGOPTIONS="-c nothing=1") as process:
        assert process.wait(TIMEOUT) == 0
    assert not servers(folder)


def test_root_needs_no_tool_to_create_users(folder: Path, project: Path) -> None:
    temporary = folder / "without tools"
    temporary.mkdir(mode=0o711)
    with started(project, hold("0"), PATH="", TMPDIR=str(temporary)) as process:
        assert process.wait(TIMEOUT) == 0


def test_closed_temporary_folder_is_named_to_root(folder: Path, project: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    done = run_in(project, [sys.executable, *START], TMPDIR=str(closed))
    if os.geteuid() == 0:
        assert done.stderr == (
            f"PostgreSQL runs as nobody for root: set TMPDIR, {closed} is closed.\n"
        )
    else:
        assert done.returncode == 0


@pytest.mark.parametrize("file", ["PG_VERSION", "global/pg_control"])
def test_data_of_another_version_or_damaged_is_replaced_in_tests(
    folder: Path, project: Path, file: str
) -> None:
    with started(project, hold("0")) as process:
        process.wait(TIMEOUT)
    (data,) = folder.glob("pg-*/test/data")
    (data / file).write_text("9\n")
    done = run_in(project, [sys.executable, *START])
    assert (done.returncode, done.stderr) == (0, "")


def test_start_that_fails_in_development_is_a_sentence(folder: Path, project: Path) -> None:
    done = launch(project, ["true"], APP_DATABASE_URL="")
    assert done.returncode == 0, done.stderr
    data = development_data(folder, project)
    version = data / "PG_VERSION"
    right = version.read_text()
    version.write_text("9\n")
    failed = launch(project, ["true"], APP_DATABASE_URL="")
    (line,) = [line for line in failed.stderr.splitlines() if "does not start" in line]
    assert line.startswith(f"PostgreSQL does not start, see {data.parent / 'log'}; `make reset` ")
    assert "initialized by PostgreSQL version 9," in line
    version.write_text(right)
    again = launch(project, ["true"], APP_DATABASE_URL="")
    assert again.returncode == 0, again.stderr


def development_data(folder: Path, project: Path) -> Path:
    """The data of the database of development."""
    data = folder.glob("postgres-*/data") if os.geteuid() == 0 else project.glob(".postgres/data")
    return next(data)


def test_database_of_development_stays_until_it_is_reset(folder: Path, project: Path) -> None:
    for _ in range(2):
        done = launch(project, ["true"], APP_DATABASE_URL="")
        assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(
        r"The database of development is in .* \(\d+ MB\); `make reset` empties it\.", line
    )
    assert development_data(folder, project).exists()
    reset = [sys.executable, "-m", "tools.embedded_postgres"]
    with started(project, LAUNCHER, APP_DATABASE_URL=""):
        assert "stop `make run` first" in run_in(project, reset).stderr
    assert run_in(project, reset).returncode == 0  # also of a launcher that was killed
    assert "There is no database" in run_in(project, reset).stderr
    assert not servers(folder)


def run_in(
    project: Path, command: list[str], **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command in the project, with its temporary folder."""
    return subprocess.run(
        command,
        cwd=project,
        env=environment(project.parent, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
