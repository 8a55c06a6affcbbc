"""The tables of the documentation are what `make docs` writes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plinth.harness.hints import KEYS
from plinth.harness.source import REPOSITORY
from tools.docs import PAGE, TABLES, filled, table

GUIDE = REPOSITORY / "docs" / "adding-an-extension.md"
DECISIONS = sorted((REPOSITORY / "docs" / "decisions").glob("0*.md"))
ENFORCED = re.compile(r"(?ms)^\*\*Enforced by\*\* (.+?)(?:\n\n|\Z)")


def test_tables_are_those_of_the_results() -> None:
    """The page is what the command writes."""
    text = PAGE.read_text("utf-8")
    assert filled(text, {name: table(name) for name in TABLES}) == text, "make docs writes them"


@pytest.mark.parametrize("text", ["", "<!-- kills -->\n<!-- end -->\n" * 2])
def test_table_has_one_place(text: str) -> None:
    """A table without a place is not left out, nor written twice."""
    with pytest.raises(ValueError, match=r"There are \d places for kills, not 1\."):
        filled(text, {"kills": ["| a |"]})


@pytest.mark.parametrize("name", TABLES)
def test_every_library_on_every_broker_was_measured(name: str) -> None:
    """No row is missing."""
    rows = [line.split("|")[1].strip() for line in table(name)[2:]]
    assert rows == [
        "arq, redis",
        "celery, rabbitmq",
        "celery, redis",
        "dramatiq, rabbitmq",
        "dramatiq, redis",
        "rq, redis",
        "taskiq, nats",
        "taskiq, rabbitmq",
        "taskiq, redis",
    ]


def rows(heading: str) -> set[str]:
    """Return what the guide to parts lists in the first column of a table."""
    found: set[str] = set()
    lines = GUIDE.read_text("utf-8").splitlines()
    for line in lines[lines.index(heading) :]:
        if line.startswith("| `"):
            found |= {*re.findall(r"`([^`]+)`", line.split("|")[1])}
        elif found:
            break
    return found


def test_guide_lists_the_partials() -> None:
    """Each kind that shared files include is described, and no other is."""
    template = REPOSITORY / "template"
    files = [*template.rglob("*"), REPOSITORY / "extensions" / "exclude"]
    texts = [file.read_text("utf-8") for file in files if file.is_file()]
    kinds = {kind for text in texts for kind in re.findall(r'set kind = "([^"]+)"', text)}
    listed = rows("| file | goes into | form |")
    assert not kinds - listed, f"docs/adding-an-extension.md says nothing of {kinds - listed}"
    assert not listed - kinds, f"no shared file includes {listed - kinds}, as the guide says"


def test_guide_lists_the_keys() -> None:
    """Each key that a part's harness.toml may have is described, and no other is."""
    listed = rows("| key | what it says |")
    assert not KEYS - listed, f"docs/adding-an-extension.md says nothing of {KEYS - listed}"
    assert not listed - KEYS, f"harness.toml has no {listed - KEYS}, as the guide says"


def named(record: str) -> Iterator[str]:
    """Yield the files, and patterns of files, by which a record says that it is enforced."""
    for words in ENFORCED.findall(record):
        yield from re.findall(r"`((?:tests|src|docs)/\S+)`", words)


def exists(pattern: str) -> bool:
    """Whether there is such a file here, or in the template."""
    choices = re.match(r"(.*)\{(.+)\}(.*)", pattern)
    if choices:
        before, middle, after = choices.groups()
        return all(exists(f"{before}{choice}{after}") for choice in middle.split(","))
    found = (folder.glob(pattern) for folder in (REPOSITORY, REPOSITORY / "template"))
    return any(any(files) for files in found)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decision_says_what_enforces_it(path: Path) -> None:
    """A record names what enforces it, and the files that it names exist."""
    text = path.read_text("utf-8")
    assert len(ENFORCED.findall(text)) == 1, f"{path.name} does not say what enforces it"
    missing = [pattern for pattern in named(text) if not exists(pattern)]
    assert not missing, f"{path.name} names {', '.join(missing)}"
    link = f"[{path.stem[:4]}]({path.name}) | {text.splitlines()[0].partition(': ')[2]} |"
    assert link in (path.parent / "README.md").read_text("utf-8")


def test_a_missing_enforcer_is_found() -> None:
    """A renamed test is told, and each of several choices counts."""
    record = "**Enforced by** `tests/test_{docs,nothing}.py` and `make space`.\n\n**Consequences.**"
    assert [*named(record)] == ["tests/test_{docs,nothing}.py"]
    assert not exists("tests/test_{docs,nothing}.py")
    assert exists("tests/test_{docs,quick}.py")
    assert not ENFORCED.findall(record.replace("Enforced", "Proved"))
