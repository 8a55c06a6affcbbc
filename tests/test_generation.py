"""What arrives later stays off in services that exist, and a second copy spares their revisions."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import copier
import pytest
import yaml

from plinth.harness.command import git
from plinth.harness.project import GeneratedProject
from plinth.harness.releases import CURRENT, SYNTHETIC, recorded_releases
from plinth.harness.source import REPOSITORY, copy_template
from plinth.harness.space import Answers, AnswerSpace
from plinth.harness.survey import RECORD

OFF = ("none", False)
FULL: Answers = {"preset": "full"}
REVISIONS = "migrations/versions"


def switched_on(space: AnswerSpace, before: AnswerSpace) -> Iterator[str]:
    """Yield a sentence for each question that older services would answer with more than nothing.

    `before` has the questions of a release that such a service was born with.
    """
    born = before.complete()["generation"]
    later = space.factors().keys() - before.factors().keys()
    optional = {name for name in later if {*OFF} & {*space.factors()[name]}}
    for preset in ("minimal", "standard", "full"):
        recorded = {**before.complete({"preset": preset}), "generation": born}
        complete = space.complete(cast("Answers", recorded))
        for name in sorted(optional):
            if complete[name] not in OFF:
                yield (
                    f"{name} is {complete[name]!r} in a service of generation {born} with "
                    f"preset={preset}: its default has to ask for a later generation"
                )


def without(space: AnswerSpace, template: Path, name: str) -> AnswerSpace:
    """Return the questions of a template in which one does not exist yet."""
    for file in (template / "questions").glob("*.yml"):
        text = file.read_text("utf-8")
        file.write_text(re.sub(rf"(?ms)^{name}:\n.*?(?=^\w|\Z)", "", text), "utf-8")
    listed = template / "copier.yml"
    text = re.sub(rf"(?m)^    (\w+): .*\b{name}\b.*$", r"    \1: false", listed.read_text("utf-8"))
    listed.write_text(text, "utf-8")
    found = AnswerSpace(template)
    assert space.factors().keys() - found.factors().keys() == {name}
    return found


@pytest.mark.parametrize("version", recorded_releases())
def test_nothing_is_switched_on(version: str, space: AnswerSpace, tmp_path: Path) -> None:
    """What has come since a release is off in its services, whichever preset they took."""
    old = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", "--no-checkout", str(REPOSITORY), str(old))
    git(old, "checkout", "--quiet", recorded_releases()[version])
    shutil.rmtree(old / ".git")
    assert not [*switched_on(space, AnswerSpace(old))]


def test_a_default_that_forgets_the_generation_is_found(template: Path, tmp_path: Path) -> None:
    """With the preset alone in it, an update would switch the part on."""
    now = copy_template(tmp_path / "now", template)
    question = now / "questions" / "background.yml"
    text = question.read_text("utf-8")
    assert "preset == 'full' and generation >= 2 else 'none'" in text
    question.write_text(text.replace(" and generation >= 2 else", " else"), "utf-8")
    space = AnswerSpace(now)
    before = without(space, copy_template(tmp_path / "before", now), "cache")
    (told,) = switched_on(space, before)
    assert told.startswith("cache is 'redis' in a service of generation ")
    assert "preset=full" in told


def test_full_service_of_an_older_generation_is_updated(releases: Path, tmp_path: Path) -> None:
    """Asked for nothing, an update answers what is new with no, and brings none of its files."""
    born = cast("Answers", {**FULL, "generation": 1})
    space = AnswerSpace(copy_template(tmp_path / "template"))
    questions = {
        name for name in space.factors() if "generation" in str(space.questions[name]["default"])
    }
    assert questions
    path = tmp_path / "service"
    copier.run_copy(str(releases), path, data={**born}, vcs_ref=CURRENT, defaults=True, quiet=True)
    project = GeneratedProject(path, born)
    record = path / RECORD
    answers = yaml.safe_load(record.read_text("utf-8"))
    # As a release wrote it that did not know them.
    known = {name: value for name, value in answers.items() if name not in questions}
    record.write_text(json.dumps(known), "utf-8")
    project.run("git", "init", "--quiet")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Born in generation 1")
    before = project.tree().keys()
    copier.run_update(path, vcs_ref=SYNTHETIC, defaults=True, overwrite=True, quiet=True)
    updated = yaml.safe_load(record.read_text("utf-8"))
    assert {name: updated[name] for name in questions if updated[name] not in OFF} == {}
    assert updated["generation"] == 1
    assert project.tree().keys() == before


def spared(template: Path, path: Path) -> bool:
    """Whether a second copy over a service leaves its edited revision alone, and restores others.

    Raises AssertionError where the copy did not write at all.
    """
    GeneratedProject.render(template, path, {})
    (revision,) = (path / REVISIONS).glob("*.py")
    main = path / "src/app/main.py"
    for file in (revision, main):
        file.write_text(f"{file.read_text('utf-8')}# ours\n", "utf-8")
    copier.run_copy(str(template), path, defaults=True, overwrite=True, unsafe=False, quiet=True)
    assert "# ours" not in main.read_text("utf-8")
    return "# ours" in revision.read_text("utf-8")


def test_second_copy_spares_revisions(template: Path, tmp_path: Path) -> None:
    """The history of a database belongs to the service."""
    assert spared(template, tmp_path / "service")


@pytest.mark.parametrize("wrong", ["migration/versions/*.py", "migrations/versions/*.txt"])
def test_a_second_copy_that_does_not_is_found(wrong: str, template: Path, tmp_path: Path) -> None:
    """A pattern that matches nothing spares nothing."""
    copy = copy_template(tmp_path / "template", template)
    settings = copy / "copier.yml"
    text = settings.read_text("utf-8")
    assert f"{REVISIONS}/*.py" in text
    settings.write_text(text.replace(f"{REVISIONS}/*.py", wrong), "utf-8")
    assert not spared(copy, tmp_path / "service")
