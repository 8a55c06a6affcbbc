"""Projects installed for real by uv, on every Python here, with the newest and the oldest versions.

`make test` has each answer in one of them; `make installs` has each two answers that go together.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from plinth.harness.coverage import covering_array
from plinth.harness.databases import own_database
from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.servers import Servers
from plinth.harness.source import copy_template
from plinth.harness.space import Answers, AnswerSpace
from plinth.harness.survey import Survey
from tools.demo import free_port
from tools.server import Server

# What decides about an installation besides the answers: the variable that tells uv.
PYTHON, RESOLUTION = "UV_PYTHON", "UV_RESOLUTION"
# The newest versions of everything, and the oldest that the project says it can do with.
RESOLUTIONS = ("highest", "lowest-direct")
OLDEST = (3, 11)
JSON = ("--output-format", "json")


def pythons() -> Mapping[str, str]:
    """Return the versions of Python here that projects support, each with an interpreter."""
    found = [
        (entry["version_parts"]["major"], entry["version_parts"]["minor"], entry["path"])
        for entry in json.loads(_output("uv", "python", "list", "--only-installed", *JSON))
        if entry["implementation"] == "cpython"
    ]
    if shutil.which("pyenv"):  # which shows uv the one that is chosen only
        for folder in Path(_output("pyenv", "root").strip(), "versions").iterdir():
            if numbers := re.fullmatch(r"(\d+)\.(\d+)\.\d+", folder.name):
                python = str(folder / "bin" / "python")
                found.append((int(numbers[1]), int(numbers[2]), python))
    supported = sorted(entry for entry in found if entry[:2] >= OLDEST)
    return {f"{major}.{minor}": path for major, minor, path in supported}


def _output(*command: str) -> str:
    done = subprocess.run(
        command, env=clean_environment(), check=True, capture_output=True, text=True
    )
    return done.stdout


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each row of a covering array over answers, Pythons and resolutions."""
    if "row" not in metafunc.fixturenames:
        return
    with tempfile.TemporaryDirectory() as folder:
        space = AnswerSpace(copy_template(Path(folder) / "template"))
        combinations = space.and_also(**{PYTHON: [*pythons()], RESOLUTION: RESOLUTIONS})
        strength = 2 if metafunc.config.getoption("--every-pair") else 1
        rows = covering_array(combinations, strength)
    metafunc.parametrize("row", rows, ids=["-".join(map(str, row.values())) for row in rows])


@pytest.fixture
def reachable(
    row: Answers, survey: Survey, servers: Servers, record_property: Callable[[str, object], None]
) -> None:
    """Leave out a row that needs a server that is missing."""
    answers = {name: answer for name, answer in row.items() if name not in {PYTHON, RESOLUTION}}
    if lacking := servers.needed(survey.renderer, answers):
        record_property(f"left out for want of {lacking[0]}", 1)
        pytest.skip(f"no server answers; {lacking[0]} names one")


@pytest.mark.usefixtures("reachable")
def test_installed(
    row: Answers,
    template: Path,
    survey: Survey,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The project installs, serves, and its tests pass; with newest versions its checks do, too."""
    started = time.monotonic()
    python = pythons()[str(row[PYTHON])]
    variables = {PYTHON: python, RESOLUTION: str(row[RESOLUTION])}
    answers = {name: answer for name, answer in row.items() if name not in variables}
    rendered = GeneratedProject.render(template, tmp_path / "service", answers)
    project = GeneratedProject(rendered.path, answers, {**variables, **survey.variables(answers)})
    project.run("git", "init", "--quiet")
    project.sync()
    if row[RESOLUTION] == "highest":
        project.check()  # an older linter or type checker finds other things
    with own_database(project) as url:
        serving = clean_environment(**variables, **url)
        with Server(project.path, free_port(), serving) as server:
            server.wait_until_ready()
    last = project.test().strip().splitlines()[-1]
    record_property("installs", 1)
    record_property(
        "progress", f"{_named(row)}: {last} ({time.monotonic() - started:.0f} s with everything)"
    )


def test_each_python_takes_part(space: AnswerSpace) -> None:
    """Even the short array has every Python and both resolutions, and every answer."""
    rows = covering_array(space.and_also(**{PYTHON: [*pythons()], RESOLUTION: RESOLUTIONS}), 1)
    assert {row[PYTHON] for row in rows} == {*pythons()}
    assert {row[RESOLUTION] for row in rows} == {*RESOLUTIONS}
    for name, values in space.factors().items():
        assert {row[name] for row in rows} == {*values}


def _named(row: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items())
