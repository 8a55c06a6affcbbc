"""Every pair of answers, installed for real: each project passes its own checks and tests."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.coverage import covering_array
from tests.harness.project import GeneratedProject, clean_environment
from tests.harness.source import copy_template
from tests.harness.space import Answers, AnswerSpace
from tools.demo import free_port
from tools.server import Server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each combination in a covering array of strength two."""
    with tempfile.TemporaryDirectory() as folder:
        space = AnswerSpace(copy_template(Path(folder) / "template"))
        rows = covering_array(space)
    metafunc.parametrize("answers", rows, ids=["-".join(map(str, r.values())) for r in rows])


def test_installed(
    answers: Answers,
    template: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The project installs, its `make check` finds nothing, it serves, and its tests pass."""
    started = time.monotonic()
    project = GeneratedProject.render(template, tmp_path / "service", answers)
    project.run("git", "init", "--quiet")
    project.sync()
    project.check()
    with Server(project.path, free_port(), clean_environment()) as server:
        server.wait_until_ready()
    last = project.test().strip().splitlines()[-1]
    seconds = time.monotonic() - started
    record_property("programs", 1)
    record_property("progress", f"{'-'.join(map(str, answers.values()))}: {last} ({seconds:.0f} s)")
