"""Rules that the repository's own files keep, so that the mechanism of parts stays sound."""

import os
import re
from pathlib import Path

import pytest

from plinth.harness.coverage import covering_array
from plinth.harness.project import LITTER
from plinth.harness.source import REPOSITORY
from plinth.harness.space import EVERYTHING, AnswerSpace

EXTENSIONS = REPOSITORY / "extensions"
TEMPLATE = REPOSITORY / "template"
# Partials that each part may have. A file of another name is a variant of a rendered file.
MECHANISM = {EXTENSIONS / "each", EXTENSIONS / "exclude"}
JINJA = re.compile(r"\{\{|\{%|\{#")


def files_below(folder: Path) -> list[Path]:
    """Every file, those that tools leave behind apart."""
    found = [p for p in sorted(folder.rglob("*")) if p.is_file() and LITTER.isdisjoint(p.parts)]
    assert found, f"{folder.name} is empty"
    return found


def named(path: Path) -> str:
    """Return a path as a person would write it."""
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", files_below(EXTENSIONS), ids=named)
def test_partial_ends_in_one_newline(path: Path) -> None:
    """Partials are joined without anything between them."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("path", files_below(EXTENSIONS), ids=named)
def test_parts_are_known_to_the_mechanism_alone(path: Path) -> None:
    """A partial that asked which parts are on could not be checked on its own."""
    if path not in MECHANISM:
        code = re.sub(r'"[^"]*"', "", path.read_text("utf-8"))
        assert not re.search(r"\{[{%].*\b(parts|extensions)\b.*[}%]\}", code)


@pytest.mark.parametrize("path", files_below(TEMPLATE), ids=named)
def test_template_names_no_list_of_parts(path: Path) -> None:
    """A shared file reaches the parts through `extensions/each` only."""
    tags = re.findall(r"\{%.*?%\}|\{\{.*?\}\}", path.read_text(encoding="utf-8"))
    assert not [tag for tag in tags if re.search(r"\bparts\b", tag)]


def variants() -> list[Path]:
    """Files in a folder below a part's: whole files of which an answer chooses one."""
    stubs = "\n".join(p.read_text(encoding="utf-8") for p in TEMPLATE.rglob("*.jinja"))
    return [
        path
        for path in files_below(EXTENSIONS)
        if path.suffix == ".py" or (path.parent.parent.parent == EXTENSIONS and path.name in stubs)
    ]


def test_variants_hold_no_tags() -> None:
    """A variant is included, so Jinja reads it: braces would change silently."""
    defaults = [p.with_suffix("") for p in TEMPLATE.rglob("*.py.jinja")]
    # A tag in them saves a second variant that would differ by a few lines.
    tagged = {
        EXTENSIONS / "unowned/variants/src/app/items/router.py",
        EXTENSIONS / "sqlmodel/variants/src/app/outbox/models.py",
    }
    for path in {*variants(), *(p for p in defaults if p.exists())} - tagged:
        assert not JINJA.search(path.read_text(encoding="utf-8")), named(path)


@pytest.mark.parametrize("path", sorted(EXTENSIONS.glob("*/owns")), ids=named)
def test_owned_files_exist(path: Path) -> None:
    """What a part says that it owns is there, else nothing is left out when it is off."""
    owned = path.read_text(encoding="utf-8").split()
    assert owned, "an empty list"
    for name in owned:
        found = list(TEMPLATE.glob(name)) + list(TEMPLATE.glob(f"{name}.jinja"))
        assert found, f"{name} is not in template/"


def test_every_folder_is_used(space: AnswerSpace) -> None:
    """A folder is a part that copier.yml turns on, or a rendered file names it."""
    rows = [{**EVERYTHING, **answers} for answers in covering_array(space)]
    parts = {name for row in rows for name, on in space.extensions(row).items() if on}
    folders = {p.relative_to(EXTENSIONS).parts[0] for p in files_below(EXTENSIONS)} - {
        "each",
        "exclude",
    }
    templates = "".join(p.read_text(encoding="utf-8") for p in TEMPLATE.rglob("*.jinja"))
    unused = [name for name in folders - parts if f'"extensions/{name}/' not in templates]
    assert not unused
    assert folders & parts


def test_line_ends() -> None:
    """The template, and what it renders, keep LF on every system."""
    for folder in (REPOSITORY, TEMPLATE):
        text = (folder / ".gitattributes").read_text(encoding="utf-8")
        assert "* text=auto eol=lf" in text.splitlines()


def test_no_links() -> None:
    """Links do not survive every checkout."""
    linked = [p for folder in (TEMPLATE, EXTENSIONS) for p in files_below(folder) if p.is_symlink()]
    assert not linked


def test_ci_runs_the_tests() -> None:
    """What CI does is what a developer does."""
    script = REPOSITORY / ".ci" / "run"
    assert "make test" in script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
