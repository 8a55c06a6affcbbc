"""Every release updates to this checkout and to a made-up next release, edited and toggled.

`make test` has each start and each answer that changes in one update, and runs the checks of one
project of each start. `make updates` runs the checks of all of these, and the tests of some; it has
each change by itself, each edit and each release. What passed with the same texts is remembered.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, TypeAlias

import copier
import pytest
import yaml

from plinth.errors import Exit
from plinth.harness.cells import DATABASE, STARTS, TESTED, Cell, array, cells, short, steps
from plinth.harness.command import git, python
from plinth.harness.edits import EDITS, make_edits
from plinth.harness.hints import Hints
from plinth.harness.locks import exclusively
from plinth.harness.memory import HARNESS, Memory, code, digest
from plinth.harness.project import CommandError, GeneratedProject
from plinth.harness.releases import CHANGES, CURRENT, SYNTHETIC, recorded_releases
from plinth.harness.source import REPOSITORY, copy_template
from plinth.harness.space import Answers, AnswerSpace, argument
from plinth.harness.survey import RECORD, Survey

HISTORY = "migrations/versions/"
REVISION_IS_MISSING = "A revision is missing"
Record: TypeAlias = Callable[[str, object], None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each cell: all of them by `--every-cell`.

    Else answers change from the last release to this checkout, where nothing was edited, and from
    this checkout to the synthetic release, where all edits were made at once.
    """
    every = bool(metafunc.config.getoption("--every-cell"))
    all_steps = steps(every=every)
    if "untouched" in metafunc.fixturenames:
        found = cells(all_steps, every=True) if every else short(all_steps[-1])
        metafunc.parametrize("untouched", [*found], ids=str)
    if "edited" in metafunc.fixturenames:
        together = short(all_steps[0], DATABASE, every=every)
        edited = [replace(cell, edits=tuple(EDITS)) for cell in together]
        if every:
            found = [*cells(all_steps, every=True)]
            edited += [replace(cell, edits=(name,)) for cell in found for name in EDITS]
        metafunc.parametrize("edited", edited, ids=str)


def test_untouched(
    untouched: Cell, releases: Path, survey: Survey, tmp_path: Path, record_property: Record
) -> None:
    """A project that nobody edited becomes what a fresh copy is; its migrations stay."""
    cell = untouched
    memory, key = Memory.of("updates"), key_of(cell, survey)
    record_property("update cells remembered", int(key in memory))
    if key in memory:
        return
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
    memory.add(key, cell=str(cell))


def test_edited(
    edited: Cell, releases: Path, survey: Survey, tmp_path: Path, record_property: Record
) -> None:
    """`make update` keeps each edit, or stops before it would be deleted and names the file."""
    cell = edited
    memory, key = Memory.of("updates"), key_of(cell, survey)
    record_property("update cells remembered", int(key in memory))
    if key in memory:
        return
    project = start_project(releases, tmp_path / "service", STARTS[cell.start], cell.old)
    made = make_edits(project.path, cell.edits)
    if not made:
        pytest.skip("the project has none of the files")
    commit(project, "Edit")
    before = project.tree()
    code, report = update(project, cell)
    stopped: list[str] = report["keep"] if code == Exit.WOULD_LOSE_WORK else []
    if stopped:
        assert project.tree() == before, "an update that stopped changed something"
        code, report = update(project, cell, stopped)
    conflicts: list[str] = report["conflicts"]
    after = project.tree()
    lost = [edit.path for edit in made if not edit.is_in(project.path)]
    record_property("update cells", len(cell.edits))
    record_property("edits lost", len(lost))
    record_property("silent deletions", len(set(lost) - after.keys()))
    record_property("files kept by a stop", len(stopped))
    record_property("conflicts", len(conflicts))
    if conflicts:
        record_property("progress", f"conflicts of {cell}: {' '.join(conflicts)}")
    assert code == (Exit.CONFLICTS if conflicts else Exit.UPDATED), report
    assert not lost
    fresh = sibling(releases, tmp_path / "fresh", project, cell).tree()
    assert not set(stopped) & fresh.keys(), "a file that stays was taken for one that goes"
    assert set(conflicts) <= {edit.path for edit in made}
    if cell.checked and not conflicts:
        check(project, survey, cell)
        record_property("updates checked", 1)
    memory.add(key, cell=str(cell))


def check(project: GeneratedProject, survey: Survey, cell: Cell) -> None:
    """Run the checks of a project, with a revision where models changed, and perhaps its tests."""
    answers = survey.space.combination(cell.answers)
    project = replace(project, variables=survey.variables(answers))
    project.run("uv", "lock", "--quiet")
    try:
        project.check()
    except CommandError as error:
        if REVISION_IS_MISSING not in str(error):
            raise
        project.run("make", "migration", "m=what the update brings")
        confirm_drops(project)
        project.check()
    if cell.tested:
        project.test()


def confirm_drops(project: GeneratedProject) -> None:
    """Tell the linter, as an owner does, that the tables of a part that went are to be dropped."""
    begins = '    """Apply the change."""\n'
    (file,) = (project.path / HISTORY).glob("*_what_the_update_brings.py")
    text = file.read_text("utf-8")
    if "op.drop_table(" in text.partition(begins)[2].partition("def downgrade")[0]:
        told = '    op.execute("-- squawk-ignore-file")\n'
        file.write_text(text.replace(begins, f"{begins}{told}"), "utf-8")


def key_of(cell: Cell, survey: Survey) -> str:
    """Return all that can decide about a cell."""
    ends = ((cell.old, STARTS[cell.start]), (cell.new, cell.answers))
    told = (cell.start, cell.change, cell.edits, cell.checked, cell.tested)
    return key_between(survey, *ends, told=told, by=Path(__file__))


def key_between(
    survey: Survey, *ends: tuple[str, Answers], told: Sequence[object], by: Path
) -> str:
    """Return what decides about an update: what is rendered before and after, and with what."""
    tags = recorded_releases()
    found: list[object] = [*told]
    for version, answers in ends:
        found.append([version, answers])
        if commit_id := tags.get(version.removeprefix("v")):
            found.append(commit_id)
        else:
            tree = survey.renderer.tree(survey.space.combination(answers))
            found.append({path: text for path, text in tree.items() if path != RECORD})
    files = [REPOSITORY / "copier.yml", *sorted((REPOSITORY / "questions").iterdir())]
    files += [CHANGES, *sorted((REPOSITORY / "extensions").glob("*"))]
    found += [file.read_text("utf-8") for file in files if file.is_file()]
    tools = [version_of("copier"), git(REPOSITORY, "--version")]
    names = ("cells.py", "edits.py", "project.py", "releases.py", "source.py")
    companion = sorted(HARNESS.parent.glob("*.py"))
    return digest(found, tools, code(by, *companion, *(HARNESS / name for name in names)))


def test_the_array_has_every_start_and_every_change(space: AnswerSpace) -> None:
    """Each answer that differs from a start's occurs, and so does each start."""
    rows = [*array(space)]
    assert {start for start, _ in rows} == {*STARTS}
    after = [{**space.combination(STARTS[start]), **change} for start, change in rows]
    for name, values in space.factors().items():
        assert {answers[name] for answers in after} == {*values}
    fixed = [*array(space, **DATABASE)]
    assert all("database" not in change for _, change in fixed)


def test_a_project_of_each_start_is_checked() -> None:
    """On every change; `make updates` checks them all and runs the tests of some."""
    step = (CURRENT, SYNTHETIC)
    quick, full = [*short(step, DATABASE)], [*short(step, DATABASE, every=True)]
    assert sorted(cell.start for cell in quick if cell.checked) == sorted(STARTS)
    assert not any(cell.tested for cell in quick)
    assert {cell.checked for cell in full if cell.change} == {True}
    assert sum(cell.tested for cell in full) == TESTED
    assert [(c.start, c.change) for c in quick] == [(c.start, c.change) for c in full]


def test_remembers_by_content(survey: Survey, template: Path, tmp_path: Path) -> None:
    """A text that the project has makes another cell; one that it has not makes none."""
    cell = Cell("standard", {"ci": "none"}, CURRENT, SYNTHETIC)
    key = key_of(cell, survey)
    assert key != key_of(replace(cell, edits=("section",)), survey)
    assert key != key_of(replace(cell, change={}), survey)
    for path, same in (("extensions/celery/readme.md", True), ("extensions/jwt/readme.md", False)):
        copied = copy_template(tmp_path / path.replace("/", "_"), template)
        with (copied / path).open("a", encoding="utf-8") as file:
            file.write("More.\n")
        assert (key_of(cell, Survey(copied, Hints.read(copied), 1)) == key) is same


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
    """Copy a release; it is rendered once for each set of answers and copied from there."""
    rendered = releases.parent / "copies" / digest(version, {**answers})
    with exclusively(rendered.with_suffix(".lock")):
        if not (rendered / "complete").exists():
            shutil.rmtree(rendered, ignore_errors=True)
            copier.run_copy(
                str(releases),
                rendered / "project",
                data={**answers},
                vcs_ref=version,
                defaults=True,
                quiet=True,
            )
            (rendered / "complete").touch()
    shutil.copytree(rendered / "project", path)
    return GeneratedProject(path, answers)


def commit(project: GeneratedProject, message: str) -> None:
    """Commit all there is."""
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", message)


def update(
    project: GeneratedProject, cell: Cell, keep: Sequence[str] = ()
) -> tuple[int, Mapping[str, Any]]:
    """Run what `make update` runs, without the checks at its end; return its code and report."""
    options = ["--to", cell.new, "--json", "--no-checks"]
    for name, value in cell.change.items():
        options += ["--data", argument(name, value)]
    for path in keep:
        options += ["--keep", path]
    done = python("plinth", "update", *options, at=project.path, timeout=600)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def _apart_from_history(tree: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in tree.items() if not path.startswith(HISTORY)}


def _history(tree: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in tree.items() if path.startswith(HISTORY)}
