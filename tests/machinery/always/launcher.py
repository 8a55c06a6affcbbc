"""A project that consists of the tools, and of an Alembic that only records what it migrates."""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import psutil

import tools

# Generous: a busy machine takes its time.
TIMEOUT = 120
EMBEDDED = ("embedded_nats.py", "embedded_postgres.py", "embedded_redis.py")
LAUNCHER = ("__init__.py", "run.py", *EMBEDDED)
SLEEP = [sys.executable, "-c", "import time; print('child is up', flush=True); time.sleep(600)"]
# In place of Alembic, whose imports take a second: it leaves the URL in a file, or fails.
ALEMBIC = """
import os, pathlib
if "broken" in os.environ["APP_DATABASE_URL"]:
    raise SystemExit("It is broken.")
pathlib.Path("migrated").write_text(os.environ["APP_DATABASE_URL"])
"""


def create_project(folder: Path) -> Path:
    """Put the project into the folder; returns its root."""
    project = folder / "project"
    folder.chmod(0o711)  # as root, the server runs as another user
    copied = project / tools.__name__
    copied.mkdir(parents=True)
    for name in LAUNCHER:
        if (file := Path(tools.__file__).with_name(name)).exists():
            shutil.copyfile(file, copied / name)
    (project / "alembic").mkdir()
    (project / "alembic" / "__init__.py").touch()
    (project / "alembic" / "__main__.py").write_text(ALEMBIC)
    return project


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """The variables of a process that keeps the data of its servers in the folder."""
    foreign = ("XDG_RUNTIME_DIR", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return kept | {"TMPDIR": str(folder), "XDG_STATE_HOME": str(folder)} | variables


def launch(
    project: Path, command: Sequence[str], **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the launcher to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tools.run", *command],
        cwd=project,
        env=environment(project.parent, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


def left_running(project: Path) -> list[str]:
    """Wait until no process of the project runs; returns the command lines of those that still do.

    Its servers are among them: they keep their data beside it, in the temporary folder.
    """
    deadline = monotonic() + TIMEOUT
    while (found := _running(project)) and monotonic() < deadline:
        sleep(0.05)
    return found


def _running(project: Path) -> list[str]:
    folder, found = str(project.parent), list[str]()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = " ".join([process.cwd(), *process.cmdline()])
            if folder in words and process.status() != psutil.STATUS_ZOMBIE:
                found.append(words)
    return found


@contextmanager
def started(
    project: Path, arguments: Sequence[str], **variables: str
) -> Generator[subprocess.Popen[str]]:
    """A Python process in the project, from its first line of output on."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error::RuntimeWarning", *arguments],
        cwd=project,
        env=environment(project.parent, **variables),
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
