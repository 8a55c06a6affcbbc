"""What must hold between the texts of a project, whatever is answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from plinth.harness.render import Unit
from plinth.harness.space import Answers, AnswerSpace

K = TypeVar("K")


@dataclass(frozen=True)
class Claim:
    """That whatever brings a text into a project brings something else that it needs."""

    unit: Unit
    sentence: str
    providers: Sequence[Answers]


def agree(first: Unit, second: Unit) -> bool:
    """Whether the answers of both can be given at once."""
    return all(first.answers.get(name, answer) == answer for name, answer in second.answers.items())


def grouped(found: Iterable[tuple[K, Unit]]) -> dict[K, list[Answers]]:
    """Collect the answers of units by a key, those that ask for least first."""
    groups: dict[K, list[Answers]] = {}
    for key, unit in found:
        groups.setdefault(key, []).append(unit.answers)
    return {key: sorted(answers, key=len) for key, answers in groups.items()}


def counterexample(space: AnswerSpace, claim: Claim) -> Answers | None:
    """Return answers that bring the text in and nothing that it needs; None if there are none."""
    pending = [(space.choose(claim.unit.answers), 0)]
    while pending:
        choices, number = pending.pop()
        if number == len(claim.providers):
            return choices.made
        provider = claim.providers[number]
        unknown = [name for name in provider if name not in choices.made]
        if any(choices.made[n] != provider[n] for n in provider if n in choices.made):
            pending.append((choices, number + 1))
        elif unknown:
            ways = (choices.with_all({unknown[0]: a}) for a in choices.legal(unknown[0]))
            pending += [(way, number) for way in ways if way]
    return None
