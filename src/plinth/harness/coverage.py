"""Covering arrays: few combinations in which every legal pair, or triple, of answers occurs."""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from covertable import make  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from plinth.harness.space import Answer, Answers, Combinations, Group

# Some answers, in the order of their questions' names.
Interaction: TypeAlias = tuple[tuple[str, Answer], ...]


def legal_interactions(space: Combinations, strength: int) -> set[Interaction]:
    """Every choice of `strength` answers that occurs in some legal combination.

    Shares no code with what builds the array.
    """
    found: set[Interaction] = set()
    for names in itertools.combinations(sorted(space.factors()), strength):
        parts = [group.projections(names) for group in space.groups]
        found.update(
            tuple(sorted(item for part in row for item in part.items()))
            for row in itertools.product(*parts)
        )
    return found


def interactions_in(rows: Iterable[Answers], strength: int) -> set[Interaction]:
    """Every choice of `strength` answers that occurs in one of the rows."""
    return {
        interaction
        for row in rows
        for interaction in itertools.combinations(sorted(row.items()), strength)
    }


def covering_array(space: Combinations, strength: int = 2) -> list[Answers]:
    """Choose combinations so that each legal choice of `strength` answers occurs in one of them.

    The choice is the same every time. Raises ValueError where the library left something out or
    made a combination that is not legal, for it ignores what it does not understand.
    """
    factors = space.factors()
    constraints = list(_constraints(space.groups))
    made = cast(
        "list[Answers]",
        make(
            {name: list(values) for name, values in factors.items()},
            strength=strength,
            constraints=constraints,
        ),
    )
    rows: list[Answers] = [{name: row[name] for name in factors} for row in made]
    if missing := legal_interactions(space, strength) - interactions_in(rows, strength):
        raise ValueError(f"{len(missing)} are not covered, for example {next(iter(missing))}")
    if illegal := [row for row in rows if not space.allows(row)]:
        raise ValueError(f"{len(illegal)} combinations are not legal, for example {illegal[0]}")
    return sorted(rows, key=lambda row: [str(row[name]) for name in factors])


def _constraints(groups: Iterable[Group]) -> Iterator[Mapping[str, Any]]:
    """Say of each group with more than one question which answers go together."""
    for group in groups:
        if len(group.names) > 1:
            yield _go_together(group)


def _go_together(group: Group) -> dict[str, Any]:
    allowed: Collection[tuple[Answer, ...]] = {
        tuple(row[name] for name in group.names) for row in group.rows
    }

    def together(row: Answers) -> bool:
        return tuple(row[name] for name in group.names) in allowed

    return {"operator": "fn", "requires": list(group.names), "evaluate": together}
