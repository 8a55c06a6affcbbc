"""The answer space and the covering arrays, also where answers exclude one another."""

import itertools
from pathlib import Path

import pytest

from plinth.harness import coverage
from plinth.harness.space import Answers, AnswerSpace

QUESTIONS = """
preset: {type: str, choices: [standard, custom], default: standard}
colour: {type: str, default: blue, choices: [red, green, blue]}
queue: {type: str, default: none, choices: [none, fast, safe]}
broker:
  type: str
  default: "{{ 'none' if queue == 'none' else 'redis' }}"
  choices:
    none: {value: none, validator: "{% if queue != 'none' %}A queue needs one.{% endif %}"}
    redis: {value: redis, validator: "{% if queue == 'none' %}No queue.{% endif %}"}
    nats: {value: nats, validator: "{% if queue != 'safe' %}Only safe speaks it.{% endif %}"}
outbox: {type: bool, default: false, validator: "{% if outbox and queue == 'none' %}No.{% endif %}"}
name: {type: str, default: x}
size: {type: str, default: s, choices: [s, m, l]}
"""


@pytest.fixture
def constrained(tmp_path: Path) -> AnswerSpace:
    """Return a space in which three questions depend on one another, and two on none."""
    (tmp_path / "copier.yml").write_text(QUESTIONS, "utf-8")
    return AnswerSpace(tmp_path)


def by_hand() -> list[Answers]:
    """Return what QUESTIONS allow, written down a second time."""
    everything = itertools.product(
        ["red", "green", "blue"],
        ["none", "fast", "safe"],
        ["none", "redis", "nats"],
        [False, True],
        ["s", "m", "l"],
    )
    names = ("colour", "queue", "broker", "outbox", "size")
    rows: list[Answers] = [dict(zip(names, values, strict=True)) for values in everything]
    return [
        row
        for row in rows
        if (row["queue"] == "none") == (row["broker"] == "none")
        and not (row["broker"] == "nats" and row["queue"] != "safe")
        and not (row["outbox"] and row["queue"] == "none")
    ]


def test_counts_what_there_is(constrained: AnswerSpace) -> None:
    """The number comes from groups, and is that of an enumeration by hand."""
    legal = by_hand()
    assert len(constrained) == len(legal)
    assert sorted(map(str, constrained.combinations())) == sorted(map(str, legal))
    assert sorted(len(group.names) for group in constrained.groups) == [1, 1, 3]
    assert all(constrained.allows(answers) for answers in legal)
    assert not constrained.allows({**legal[0], "outbox": True})


@pytest.mark.parametrize("strength", [2, 3])
def test_obeys_constraints(constrained: AnswerSpace, strength: int) -> None:
    """What is never legal is neither demanded nor made."""
    rows = coverage.covering_array(constrained, strength)
    legal = coverage.interactions_in(by_hand(), strength)
    assert coverage.interactions_in(rows, strength) == legal
    assert len(rows) < len(by_hand())


def test_covers_the_space(space: AnswerSpace) -> None:
    """Every legal pair occurs, in far fewer combinations than there are."""
    rows = coverage.covering_array(space)
    assert coverage.interactions_in(rows, 2) == coverage.legal_interactions(space, 2)
    assert len(rows) < len(space) / 10


def test_notices_a_gap(monkeypatch: pytest.MonkeyPatch, space: AnswerSpace) -> None:
    """A library that leaves pairs out is not believed."""
    few = list(itertools.islice(space.combinations(), 3))

    def incomplete(*_: object, **__: object) -> list[Answers]:
        return few

    monkeypatch.setattr(coverage, "make", incomplete)
    with pytest.raises(ValueError, match="are not covered"):
        coverage.covering_array(space)
