"""A run of mutants that ended early continues where it stopped."""

from pathlib import Path

from plinth.harness.memory import Memory
from plinth.harness.mutants import Mutant
from tools.mutants import Verdict, Verdicts

FIRST = Verdict("a.py", "drop it", "space")
SECOND = Verdict("a.py", "negate it", "")


def known(file: Path, checkout: str = "this") -> Verdicts:
    """Return the verdicts that a file has for a checkout."""
    return Verdicts(Memory(file), checkout)


def test_remembers_verdicts(tmp_path: Path) -> None:
    """The next run knows every verdict, survivors too; another checkout knows none of them."""
    file = tmp_path / "results" / "mutants.jsonl"
    verdicts = known(file)
    verdicts.add(FIRST)
    verdicts.add(SECOND)
    for verdict in (FIRST, SECOND):
        mutant = Mutant(verdict.path, verdict.mistake, "")
        assert known(file).recall(mutant) == verdict
        assert known(file, "another").recall(mutant) is None
    assert known(file).recall(Mutant("b.py", FIRST.mistake, "")) is None


def test_survives_a_kill(tmp_path: Path) -> None:
    """A verdict that was cut off counts for nothing, and does not spoil the next one."""
    file = tmp_path / "mutants.jsonl"
    verdicts = known(file)
    verdicts.add(FIRST)
    verdicts.add(SECOND)
    file.write_text(file.read_text("utf-8")[:-10], "utf-8")
    assert known(file).recall(Mutant(SECOND.path, SECOND.mistake, "")) is None
    known(file).add(SECOND)
    assert known(file).recall(Mutant(SECOND.path, SECOND.mistake, "")) == SECOND
