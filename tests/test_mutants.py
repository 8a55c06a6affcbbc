"""A run of mutants that ended early goes on where it was."""

from pathlib import Path

from plinth.harness.mutants import Mutant
from tools.mutants import Memory, Verdict

FIRST = Verdict("a.py", "drop it", "space")
SECOND = Verdict("a.py", "negate it", "")


def test_remembers_verdicts(tmp_path: Path) -> None:
    """What was judged is known to the next run, survivors too; what was not is not."""
    memory = Memory(tmp_path / "verdicts" / "here.jsonl")
    memory.add(FIRST)
    memory.add(SECOND)
    again = Memory(tmp_path / "verdicts" / "here.jsonl")
    for verdict in (FIRST, SECOND):
        assert again.recall(Mutant(verdict.path, verdict.mistake, "")) == verdict
    assert again.recall(Mutant("b.py", FIRST.mistake, "")) is None


def test_survives_a_kill(tmp_path: Path) -> None:
    """A verdict that was cut off counts for nothing, and does not spoil the next one."""
    file = tmp_path / "verdicts.jsonl"
    memory = Memory(file)
    memory.add(FIRST)
    memory.add(SECOND)
    file.write_text(file.read_text("utf-8")[:-10], "utf-8")
    memory = Memory(file)
    assert memory.recall(Mutant(SECOND.path, SECOND.mistake, "")) is None
    memory.add(SECOND)
    assert Memory(file).recall(Mutant(SECOND.path, SECOND.mistake, "")) == SECOND
