"""Projects installed for real by uv, on every Python here, with the newest and the oldest versions.

`make test` has each answer in one of them, of which the first runs its tests, and the last, with
the oldest versions; `make installs` has each two answers that go together, and all tests. What
passed with the same files and the same versions is remembered.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from plinth.harness.coverage import covering_array
from plinth.harness.databases import own_database
from plinth.harness.memory import HARNESS, Memory, code, digest
from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.servers import Servers, free_port
from plinth.harness.source import copy_template
from plinth.harness.space import Answers, AnswerSpace
from plinth.harness.survey import Survey
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


@dataclass(frozen=True)
class Install:
    """Answers, a Python, versions, and whether the project's tests run."""

    answers: Answers
    python: str
    resolution: str
    tested: bool

    def __str__(self) -> str:
        """Return a name for the test's report."""
        words = (self.python, self.resolution, *self.answers.values())
        return "-".join(map(str, words))


def installs(space: AnswerSpace, *, every: bool) -> list[Install]:
    """Return what is installed: each pair, or each answer once, of which one with old versions."""
    combinations = space.and_also(**{PYTHON: [*pythons()]})
    if every:
        rows = covering_array(combinations.and_also(**{RESOLUTION: RESOLUTIONS}), 2)
    else:
        *rows, last = covering_array(combinations, 1)
        rows = [{**row, RESOLUTION: RESOLUTIONS[0]} for row in rows]
        rows.append({**last, RESOLUTION: RESOLUTIONS[1]})
    return [
        Install(
            {name: answer for name, answer in row.items() if name not in {PYTHON, RESOLUTION}},
            str(row[PYTHON]),
            str(row[RESOLUTION]),
            tested=every or row in (rows[0], rows[-1]),
        )
        for row in rows
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each installation."""
    if "install" not in metafunc.fixturenames:
        return
    with tempfile.TemporaryDirectory() as folder:
        space = AnswerSpace(copy_template(Path(folder) / "template"))
        rows = installs(space, every=bool(metafunc.config.getoption("--every-pair")))
    metafunc.parametrize("install", rows, ids=str)


@pytest.fixture
def reachable(
    install: "Install",
    survey: Survey,
    servers: Servers,
    record_property: Callable[[str, object], None],
) -> None:
    """Leave out a row that needs a server that is missing."""
    if lacking := servers.needed(survey.renderer, install.answers):
        record_property(f"left out for want of {lacking[0]}", 1)
        pytest.skip(f"no server answers; {lacking[0]} names one")


@pytest.mark.usefixtures("reachable")
def test_installed(
    install: Install,
    template: Path,
    survey: Survey,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The project installs and serves; with newest versions its checks pass; its tests do."""
    started = time.monotonic()
    python = pythons()[install.python]
    variables = {PYTHON: python, RESOLUTION: install.resolution}
    servers = survey.variables(install.answers)
    rendered = GeneratedProject.render(template, tmp_path / "service", install.answers)
    project = GeneratedProject(rendered.path, install.answers, {**variables, **servers})
    project.run("git", "init", "--quiet")
    project.run("uv", "lock", "--quiet")
    memory, key = Memory.of("installs"), key_of(project, install)
    record_property("installs remembered", int(key in memory))
    if key not in memory:
        done = try_out(project, install)
        record_property("installs", 1)
        seconds = time.monotonic() - started
        record_property("progress", f"{install}: {done} ({seconds:.0f} s with everything)")
        memory.add(key, install=str(install))


def key_of(project: GeneratedProject, install: Install) -> str:
    """Return all that can decide about an installation: the lock is among the files."""
    version = _output(pythons()[install.python], "-VV")
    uv = _output("uv", "--version")
    files = (Path(__file__), HARNESS / "project.py", HARNESS / "databases.py")
    told = (install.resolution, install.tested, sorted(project.variables.items()))
    return digest(project.tree(), version, uv, told, code(*files))


def try_out(project: GeneratedProject, install: Install) -> str:
    """Install, check, start and test a project; return the last line of its tests."""
    project.sync()
    if install.resolution == RESOLUTIONS[0]:
        project.check()  # an older linter or type checker finds other things
    with own_database(project) as url:
        serving = clean_environment(**{**project.variables, **url})
        with Server(project.path, free_port(), serving) as server:
            server.wait_until_ready()
    return project.test().strip().splitlines()[-1] if install.tested else "not tested"


def test_each_python_takes_part(space: AnswerSpace) -> None:
    """Even the short array has every Python and both resolutions, and every answer."""
    rows = installs(space, every=False)
    assert {row.python for row in rows} == {*pythons()}
    assert [row.resolution for row in rows].count(RESOLUTIONS[1]) == 1
    assert sum(row.tested for row in rows) == 2
    for name, values in space.factors().items():
        assert {row.answers[name] for row in rows} == {*values}


def test_remembers_by_content(template: Path, tmp_path: Path, space: AnswerSpace) -> None:
    """Another file, another lock, another Python or other versions are another installation."""
    install = installs(space, every=False)[0]
    project = GeneratedProject.render(template, tmp_path / "service", install.answers)
    (project.path / "uv.lock").write_text("one", "utf-8")
    key = key_of(project, install)
    assert key == key_of(project, install)
    assert key != key_of(project, replace(install, resolution="another"))
    assert key != key_of(project, replace(install, tested=not install.tested))
    for path in ("uv.lock", "README.md"):
        (project.path / path).write_text("two", "utf-8")
        assert key != (key := key_of(project, install))
