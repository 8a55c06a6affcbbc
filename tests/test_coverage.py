"""The covering array is complete, also where answers exclude one another."""

import itertools

import pytest

from tests.harness import coverage
from tests.harness.answers import Answers, AnswerSpace


def test_covers_the_space(space: AnswerSpace) -> None:
    """Every legal pair occurs, in far fewer combinations than there are."""
    legal = list(space.combinations())
    rows = coverage.covering_array(legal)
    assert coverage.pairs_of(rows) == coverage.pairs_of(legal)
    assert len(rows) < len(legal) / 10


def test_obeys_constraints() -> None:
    """A pair that is never legal is neither demanded nor made."""
    product = itertools.product(["none", "jwt"], [False, True], ["a", "b", "c"])
    legal: list[Answers] = [
        {"auth": auth, "keys": keys, "kind": kind}
        for auth, keys, kind in product
        if auth == "jwt" or not keys
    ]
    rows = coverage.covering_array(legal)
    assert coverage.pairs_of(rows) == coverage.pairs_of(legal)
    assert all(row in legal for row in rows)


def test_notices_a_gap(monkeypatch: pytest.MonkeyPatch, space: AnswerSpace) -> None:
    """A library that leaves pairs out is not believed."""
    legal = list(space.combinations())

    def incomplete(*_: object, **__: object) -> list[Answers]:
        return legal[:3]

    monkeypatch.setattr(coverage, "make", incomplete)
    with pytest.raises(ValueError, match="pairs are not covered"):
        coverage.covering_array(legal)
