"""Which updates are tried: from which release and answers to which, and with which edits."""

import itertools
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plinth.harness.coverage import covering_array
from plinth.harness.releases import CURRENT, SYNTHETIC, recorded_releases
from plinth.harness.source import copy_template
from plinth.harness.space import Answer, Answers, AnswerSpace, Combinations, Group, argument

# The answers a project starts with; one more changes at the update, or none.
STARTS: Mapping[str, Answers] = {
    "standard": {},
    "bare": {"preset": "minimal", "example": False, "container": False, "ci": "none"},
}
# Tests take most of the time: where every cell is tried, so many of an array run them.
TESTED = 2
# What a history of migrations is written for.
DATABASE: Answers = {"database": "postgresql"}


@dataclass(frozen=True)
class Cell:
    """One way to update: from where, what changes, and what was edited before."""

    start: str
    change: Answers
    old: str
    new: str
    edits: Sequence[str] = ()
    checked: bool = False
    """Whether the project's own checks run after the update."""
    tested: bool = False
    """Whether its tests run too."""

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


def array(space: AnswerSpace, **fixed: Answer) -> Iterator[tuple[str, Answers]]:
    """Yield starts and what changes, so that each start and each answer occurs once.

    `fixed` answers are those of all starts; the other legal rows of their questions fall away.
    """
    groups = [
        Group(group.names, [row for row in group.rows if {**row, **fixed} == {**fixed, **row}])
        for group in space.groups
    ]
    starts = Combinations(groups, space.factors()).and_also(start=[*STARTS])
    for row in covering_array(starts, 1):
        start = STARTS[str(row["start"])]
        before = space.combination(start)
        change = {name: row[name] for name, answer in before.items() if row[name] != answer}
        # An answer that stays may be another than the default after the change.
        after = space.combination({**start, **change})
        stays = {name: row[name] for name, answer in after.items() if row[name] != answer}
        yield str(row["start"]), {**change, **stays}


def short(
    step: tuple[str, str], fixed: Answers | None = None, *, every: bool = False
) -> Iterator[Cell]:
    """Yield the cells of an array, and those of the other steps without a change.

    `fixed` is as for `array`. The first of each start is checked; with `every`, all are, and some
    are tested.
    """
    with tempfile.TemporaryDirectory() as folder:
        space = AnswerSpace(copy_template(Path(folder) / "template"))
        rows = [*array(space, **(fixed or {}))]
    changed = [Cell(start, change, *step) for start, change in rows if change]
    first = {cell.start: cell for cell in reversed(changed)}
    for number, cell in enumerate(changed):
        checked = every or cell is first[cell.start]
        yield replace(cell, checked=checked, tested=every and number < TESTED)
    yield from cells((), every=False)
