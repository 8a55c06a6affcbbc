"""`make quick` runs the programs that a change touches, and leaves out what is known to exist."""

from pathlib import Path

from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answers
from tools.quick import MOST, SLOW, base, choose, extract


def row(name: str) -> Answers:
    """Return a row of answers."""
    return {"row": name}


def test_chooses_few_rows_with_most_of_what_changed() -> None:
    """A row that adds nothing is not run, and there are never more than so many."""
    texts = [(f"{number}.py", "text") for number in range(9)]
    found = [(row("few"), {*texts[:2]}), (row("most"), {*texts[:5]}), (row("other"), {texts[6]})]
    assert [*choose(found)] == [row("most"), row("other")]
    assert not [*choose([(row("none"), set[tuple[str, str]]())])]
    many = [(row(str(number)), {text}) for number, text in enumerate(texts)]
    assert len([*choose(many)]) == MOST


def test_slow_tests_are_there() -> None:
    """A test that is renamed would run in `make quick` without a word."""
    assert {*SLOW} <= {file.stem for file in Path(__file__).parent.glob("test_*.py")}


def test_the_template_of_before_is_there(tmp_path: Path) -> None:
    """What is compared is the template as a commit has it, not as it lies here."""
    before = extract(base(), tmp_path / "before")
    assert (before / "copier.yml").is_file()
    assert (before / "template").is_dir()
    assert before != REPOSITORY
