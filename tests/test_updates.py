"""Every release updates to this checkout and to a made-up next release, edited and toggled."""

import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import copier
import pytest
import yaml

from plinth.harness.edits import EDITS, make_edits
from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.releases import CURRENT, SYNTHETIC, recorded_releases
from plinth.harness.source import copy_template
from plinth.harness.space import Answers, AnswerSpace, argument
from plinth.harness.survey import RECORD

# The answers a project starts with; one more changes at the update, or none.
STARTS: Mapping[str, Answers] = {
    "standard": {},
    "bare": {"preset": "minimal", "example": False, "container": False, "ci": "none"},
}
HISTORY = "migrations/versions/"
Record: TypeAlias = Callable[[str, object], None]


@dataclass(frozen=True)
class Cell:
    """One way to update: from where, what changes, and what was edited before."""

    start: str
    change: Answers
    old: str
    new: str
    edits: Sequence[str] = ()

    @property
    def answers(self) -> Answers:
        """The answers after the update."""
        return {**STARTS[self.start], **self.change}

    def __str__(self) -> str:
        """Return a name for the test's report."""
        change = ",".join(argument(name, value) for name, value in self.change.items())
        words = (self.start, change or "same", self.old, self.new, "+".join(self.edits))
        return "-".join(word for word in words if word)


def toggles(space: AnswerSpace, start: Answers) -> Iterator[Answers]:
    """Yield no change, and every single other answer that is legal after `start`."""
    yield {}
    complete = space.complete(start)
    for name, values in space.factors().items():
        for value in values:
            toggled = {**start, name: value}
            if value != complete[name] and space.allows(space.combination(toggled)):
                yield {name: value}


def steps(*, every: bool) -> list[tuple[str, str]]:
    """Return from where to where: this checkout to the synthetic release, then what was released.

    The last step is from the last release there is.
    """
    released = [f"v{version}" for version in recorded_releases()]
    more = [(old, SYNTHETIC) for old in released] if every else []
    return [(CURRENT, SYNTHETIC), *more, *((old, CURRENT) for old in released)]


def cells(toggled: Collection[tuple[str, str]], *, every: bool) -> Iterator[Cell]:
    """Yield every way to update a project; in steps `toggled`, with each change of an answer."""
    with tempfile.TemporaryDirectory() as folder:
        space = AnswerSpace(copy_template(Path(folder) / "template"))
        for (start, answers), (old, new) in itertools.product(STARTS.items(), steps(every=every)):
            same: Answers = {}
            for change in toggles(space, answers) if (old, new) in toggled else (same,):
                yield Cell(start, change, old, new)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each cell: all of them by `--every-cell`.

    Else answers change from the last release to this checkout, where nothing was edited, and from
    this checkout to the synthetic release, where all edits were made at once.
    """
    every = bool(metafunc.config.getoption("--every-cell"))
    all_steps = steps(every=every)
    if "untouched" in metafunc.fixturenames:
        toggled = all_steps if every else all_steps[-1:]
        metafunc.parametrize("untouched", [*cells(toggled, every=every)], ids=str)
    if "edited" in metafunc.fixturenames:
        toggled = all_steps if every else all_steps[:1]
        together = [(name,) for name in EDITS] if every else [tuple(EDITS)]
        edited = [
            replace(cell, edits=edits) for cell in cells(toggled, every=every) for edits in together
        ]
        metafunc.parametrize("edited", edited, ids=str)


@pytest.fixture(scope="session")
def pretenders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a uv and a make that do nothing, for the end of `make update`."""
    folder = tmp_path_factory.mktemp("pretenders")
    for name in ("uv", "make"):
        (folder / name).write_text("#!/bin/sh\n", "utf-8")
        (folder / name).chmod(0o755)
    return folder


def test_untouched(
    untouched: Cell, releases: Path, tmp_path: Path, record_property: Record
) -> None:
    """A project that nobody edited becomes what a fresh copy is; its migrations stay."""
    cell = untouched
    project = start_project(releases, tmp_path / "service", STARTS[cell.start], cell.old)
    before = project.tree()
    copier.run_update(
        project.path,
        data={**cell.change},
        vcs_ref=cell.new,
        defaults=True,
        overwrite=True,
        quiet=True,
    )
    fresh = sibling(releases, tmp_path / "fresh", project, cell).tree()
    record_property("updates", 1)
    assert _apart_from_history(project.tree()) == _apart_from_history(fresh)
    assert _history(project.tree()) == _history(before)


def test_edited(
    edited: Cell, releases: Path, pretenders: Path, tmp_path: Path, record_property: Record
) -> None:
    """`make update` keeps each edit, or stops before it would be deleted and names the file."""
    cell = edited
    project = start_project(releases, tmp_path / "service", STARTS[cell.start], cell.old)
    made = make_edits(project.path, cell.edits)
    if not made:
        pytest.skip("the project has none of the files")
    commit(project, "Edit")
    before = project.tree()
    done = update(project, pretenders, cell)
    stopped = _named(done) if "would take away" in done.stderr else []
    if stopped:
        assert project.tree() == before, "an update that stopped changed something"
        done = update(project, pretenders, cell, stopped)
    conflicts = _named(done) if "Conflicts in" in done.stderr else []
    after = project.tree()
    lost = [edit.path for edit in made if not edit.is_in(project.path)]
    record_property("update cells", len(cell.edits))
    record_property("edits lost", len(lost))
    record_property("silent deletions", len(set(lost) - after.keys()))
    record_property("files kept by a stop", len(stopped))
    record_property("conflicts", len(conflicts))
    if conflicts:
        record_property("progress", f"conflicts of {cell}: {' '.join(conflicts)}")
    assert done.returncode == bool(conflicts), done.stdout + done.stderr
    assert not lost
    fresh = sibling(releases, tmp_path / "fresh", project, cell).tree()
    assert not set(stopped) & fresh.keys(), "a file that stays was taken for one that goes"
    assert set(conflicts) <= {edit.path for edit in made}


def test_bare_copier_deletes_an_edited_file(releases: Path, tmp_path: Path) -> None:
    """What the documentation warns of is still so; without it `make update` need not stop."""
    project = start_project(releases, tmp_path / "service", {}, CURRENT)
    make_edits(project.path, ["compose"])
    commit(project, "Edit")
    copier.run_update(
        project.path, data={"container": False}, defaults=True, overwrite=True, quiet=True
    )
    assert not (project.path / "compose.yaml").exists()


def start_project(releases: Path, path: Path, answers: Answers, version: str) -> GeneratedProject:
    """Copy a release and commit it."""
    project = copy(releases, path, answers, version)
    project.run("git", "init", "--quiet")
    commit(project, "Start from the template")
    return project


def sibling(
    releases: Path, path: Path, project: GeneratedProject, cell: "Cell"
) -> GeneratedProject:
    """Copy what the project should be after its update, born when it was: that decides defaults."""
    born = yaml.safe_load(project.tree()[RECORD])["generation"]
    return copy(releases, path, {**cell.answers, "generation": born}, cell.new)


def copy(releases: Path, path: Path, answers: Answers, version: str) -> GeneratedProject:
    """Copy a release."""
    copier.run_copy(
        str(releases), path, data={**answers}, vcs_ref=version, defaults=True, quiet=True
    )
    return GeneratedProject(path, answers)


def commit(project: GeneratedProject, message: str) -> None:
    """Commit all there is."""
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", message)


def update(
    project: GeneratedProject, pretenders: Path, cell: Cell, keep: Sequence[str] = ()
) -> "subprocess.CompletedProcess[str]":
    """Run what `make update` runs, without the lock and the checks at its end."""
    data = " ".join(argument(name, value) for name, value in cell.change.items())
    options = ["--version", cell.new, "--data", data, "--keep", " ".join(keep)]
    return subprocess.run(
        [sys.executable, "-m", "tools.update", *options],
        cwd=project.path,
        env=clean_environment(PATH=f"{pretenders}{os.pathsep}{os.environ['PATH']}"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _named(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Return the files that `make update` lists."""
    return re.findall(r"(?m)^  (\S+)$", done.stderr)


def _apart_from_history(tree: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in tree.items() if not path.startswith(HISTORY)}


def _history(tree: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in tree.items() if path.startswith(HISTORY)}
