"""Covering arrays: few combinations in which every legal pair of answers occurs."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

from covertable import make  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from tests.harness.answers import Answer, Answers

Pair: TypeAlias = tuple[tuple[str, Answer], tuple[str, Answer]]


def pairs_of(combinations: Iterable[Answers]) -> set[Pair]:
    """Every pair of answers that occurs; shares no code with what builds the array."""
    return {
        pair
        for answers in combinations
        for pair in itertools.combinations(sorted(answers.items(), key=_by_name), 2)
    }


def covering_array(legal: Sequence[Answers]) -> list[Answers]:
    """Choose combinations so that each pair of answers in `legal` occurs in one of them.

    The choice is the same every time. Raises ValueError where the library left a pair out or made
    a combination that is not legal, for it ignores what it does not understand.
    """
    factors: dict[str, list[Answer]] = {
        name: list(dict.fromkeys(answers[name] for answers in legal)) for name in legal[0]
    }
    constraints = _constraints(factors, legal)
    made = cast("list[Answers]", make(factors, strength=2, constraints=constraints))
    rows: list[Answers] = [{name: row[name] for name in factors} for row in made]
    if missing := pairs_of(legal) - pairs_of(rows):
        raise ValueError(f"{len(missing)} pairs are not covered, for example {min(missing)}")
    if illegal := [row for row in rows if row not in legal]:
        raise ValueError(f"{len(illegal)} combinations are not legal, for example {illegal[0]}")
    return sorted(rows, key=lambda row: [str(row[name]) for name in factors])


def _by_name(item: tuple[str, Answer]) -> str:
    return item[0]


def _constraints(factors: dict[str, list[Answer]], legal: Sequence[Answers]) -> list[Any]:
    """Say, for each two questions that depend on one another, which answers go together."""
    constraints: list[Any] = []
    for first, second in itertools.combinations(factors, 2):
        together = {(answers[first], answers[second]) for answers in legal}
        if len(together) < len(factors[first]) * len(factors[second]):
            constraints.append(_go_together(first, second, together))
    return constraints


def _go_together(first: str, second: str, together: set[tuple[Answer, Answer]]) -> dict[str, Any]:
    def allowed(row: Answers) -> bool:
        return (row[first], row[second]) in together

    return {"operator": "fn", "requires": [first, second], "evaluate": allowed}
