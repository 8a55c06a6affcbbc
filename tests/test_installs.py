"""Projects installed by uv, on every Python here, with the newest and with the lowest versions.

With the newest versions, `make test` installs, checks and serves each answer once. With the lowest,
it installs most parts that have dependencies and runs all tests: a lower bound that is too low
fails there. `make installs` adds the other parts, every two answers that go together, and runs all
tests. What passed with the same files and the same versions is remembered.
"""

import functools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from plinth.harness import bounds
from plinth.harness.coverage import covering_array
from plinth.harness.databases import own_database
from plinth.harness.hints import Hints
from plinth.harness.memory import HARNESS, Memory, code, digest
from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.render import Reading
from plinth.harness.servers import Servers, free_port
from plinth.harness.source import copy_template
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from tools.server import Server

# What decides about an installation besides the answers: the variable that tells uv.
PYTHON, RESOLUTION = "UV_PYTHON", "UV_RESOLUTION"
# The newest versions, or the lower bounds of what the project itself requires.
RESOLUTIONS = (NEWEST, LOWEST) = ("highest", "lowest-direct")
OLDEST = (3, 11)
# The first project with the lowest versions has most of the parts; each of the others has a few.
FIRST = 1
JSON = ("--output-format", "json")


@functools.cache  # it starts a process for each interpreter, and is asked for with each row
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


@functools.cache
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


def installs(survey: Survey, *, every: bool) -> list[Install]:
    """Return what is installed: each answer, or each pair, and each part in its lowest versions."""
    combinations = survey.space.and_also(**{PYTHON: [*pythons()]})
    if every:
        rows = covering_array(combinations.and_also(**{RESOLUTION: RESOLUTIONS}), 2)
    else:
        rows = [{**row, RESOLUTION: NEWEST} for row in covering_array(combinations, 1)]
    return [
        *(
            Install(
                {name: answer for name, answer in row.items() if name not in {PYTHON, RESOLUTION}},
                str(row[PYTHON]),
                str(row[RESOLUTION]),
                tested=every,
            )
            for row in rows
        ),
        *lowest(survey)[: None if every else FIRST],
    ]


def lowest(survey: Survey) -> list[Install]:
    """Return installations of the lowest versions, with each part that has dependencies."""
    rows = bounds.combinations(survey)
    return [Install(row, next(iter(pythons())), LOWEST, tested=True) for row in rows]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each installation."""
    if "install" not in metafunc.fixturenames:
        return
    with tempfile.TemporaryDirectory() as folder:
        template = copy_template(Path(folder) / "template")
        survey = Survey(template, Hints.read(template), 1)
        rows = installs(survey, every=bool(metafunc.config.getoption("--every-pair")))
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
    project = locked(install, survey, template, tmp_path / "service")
    project.run("git", "init", "--quiet")
    memory, key = Memory.of("installs"), key_of(project, install)
    record_property("installs remembered", int(key in memory))
    if key not in memory:
        done = try_out(project, install)
        record_property("installs", 1)
        seconds = time.monotonic() - started
        record_property("progress", f"{install}: {done} ({seconds:.0f} s with everything)")
        memory.add(key, install=str(install))


def locked(install: Install, survey: Survey, template: Path, into: Path) -> GeneratedProject:
    """Render and lock a project."""
    variables = {PYTHON: pythons()[install.python], RESOLUTION: install.resolution}
    servers = survey.variables(install.answers)
    rendered = GeneratedProject.render(template, into, install.answers)
    project = GeneratedProject(rendered.path, install.answers, {**variables, **servers})
    project.run("uv", "lock", "--quiet")
    return project


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
    if install.resolution == NEWEST:
        project.check()  # an older linter or type checker finds other things
    with own_database(project) as url:
        serving = clean_environment(**{**project.variables, **url})
        with Server(project.path, free_port(), serving) as server:
            server.wait_until_ready()
    return project.test().strip().splitlines()[-1] if install.tested else "not tested"


def test_every_lower_bound_is_installed(survey: Survey, template: Path, tmp_path: Path) -> None:
    """No dependency asks for a newer version of another than the project's own lower bound."""
    rows = lowest(survey)
    texts = [survey.renderer.file("pyproject.toml", row.answers) or "" for row in rows]
    memory = Memory.of("bounds")
    key = digest(texts, _output("uv", "--version"), code(Path(__file__), HARNESS / "bounds.py"))
    if key not in memory:
        folders = (tmp_path / str(number) for number in range(len(rows)))
        projects = (
            locked(row, survey, template, folder) for row, folder in zip(rows, folders, strict=True)
        )
        locks = [(project.path / "uv.lock").read_text("utf-8") for project in projects]
        wrong = [*bounds.untried(zip(texts, locks, strict=True))]
        assert not wrong, "\n".join(wrong)
        memory.add(key)


PROJECT = """
[project]
dependencies = ["first[extra]>=1.2"]
[dependency-groups]
dev = ["second>=3"]
"""


@pytest.mark.parametrize(
    ("versions", "told"),
    [
        ({"first": "1.2.0", "second": "3"}, []),
        ({"first": "1.20", "second": "3.1"}, ["first>=1.2 is never installed"]),
        ({"first": "1.2", "second": "30"}, ["second>=3 is never installed"]),
    ],
)
def test_a_bound_that_is_not_installed_is_found(
    versions: Mapping[str, str], told: Sequence[str]
) -> None:
    """One project that has it is enough; a version that only begins with the same digit is none."""
    lock = "".join(f'[[package]]\nname="{n}"\nversion="{v}"\n' for n, v in versions.items())
    higher = lock.replace('version="', 'version="9')
    found = [*bounds.untried([(PROJECT, higher), (PROJECT, lock)])]
    assert [sentence[: len(expected)] for sentence, expected in zip(found, told, strict=True)] == [
        *told
    ]


def test_a_requirement_without_a_bound_is_refused() -> None:
    """Nothing could be tried with its lowest version."""
    with pytest.raises(ValueError, match="first has no lower bound"):
        list(bounds.required(PROJECT.replace("[extra]>=1.2", "")))


def test_each_part_is_installed_with_its_lowest_versions(survey: Survey) -> None:
    """Whatever a part requires is tried in its lowest version: most of it on every change."""
    rows = lowest(survey)
    renderer = survey.renderer
    for part in renderer.conditions:
        if renderer.share(part, "dependencies"):
            assert any(Reading(renderer, row.answers).part(part) for row in rows), part
    assert all(row.tested for row in rows)


def test_each_python_takes_part(survey: Survey) -> None:
    """With the newest versions there is every Python and every answer; the lowest run tests."""
    rows = [row for row in installs(survey, every=False) if row.resolution == NEWEST]
    assert {row.python for row in rows} == {*pythons()}
    assert not any(row.tested for row in rows)
    assert [row.tested for row in installs(survey, every=False) if row not in rows] == [True]
    assert all(row.tested for row in installs(survey, every=True))
    for name, values in survey.space.factors().items():
        assert {row.answers[name] for row in rows} == {*values}


def test_remembers_by_content(template: Path, tmp_path: Path, survey: Survey) -> None:
    """Another file, another lock, another Python or other versions are another installation."""
    install = installs(survey, every=False)[0]
    project = GeneratedProject.render(template, tmp_path / "service", install.answers)
    (project.path / "uv.lock").write_text("one", "utf-8")
    key = key_of(project, install)
    assert key == key_of(project, install)
    assert key != key_of(project, replace(install, resolution="another"))
    assert key != key_of(project, replace(install, tested=not install.tested))
    for path in ("uv.lock", "README.md"):
        (project.path / path).write_text("two", "utf-8")
        assert key != (key := key_of(project, install))
