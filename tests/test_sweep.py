"""The sweep remembers what passed, with what it passed, and nothing else."""

import json
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from plinth.harness.programs import Outcome, Program, Programs
from plinth.harness.survey import Survey
from tools.sweep import Memory, shard


def outcome(program: Program, *, status: int = 0) -> Outcome:
    """Return how a program's tests ended."""
    return Outcome(
        program=program,
        status=status,
        tests=3,
        failed=[],
        asserted=[],
        skipped=[],
        core=1.0,
        overhead=0.1,
        seconds=1.0,
        log="",
    )


def test_remembers_by_content(survey: Survey, tmp_path: Path) -> None:
    """A program that passed is known to the next run; another, or another tree, is not."""
    file = tmp_path / "results" / "results.jsonl"
    first, second = (Program(key, {}, {}) for key in ("first", "second"))
    memory = Memory(file, survey)
    assert first not in memory
    memory.add(outcome(first))
    again = Memory(file, survey)
    assert first in again
    assert second not in again


def test_survives_a_kill(survey: Survey, tmp_path: Path) -> None:
    """A line that was cut off counts for nothing, and does not spoil the next one."""
    file = tmp_path / "results.jsonl"
    first, second = (Program(key, {}, {}) for key in ("first", "second"))
    memory = Memory(file, survey)
    memory.add(outcome(first))
    memory.add(outcome(second))
    file.write_text(file.read_text("utf-8")[:-10], "utf-8")
    again = Memory(file, survey)
    assert first in again
    assert second not in again
    again.add(outcome(second))
    assert second in Memory(file, survey)
    assert all(json.loads(line)["tests"] == 3 for line in file.read_text("utf-8").splitlines())


def test_programs_are_told_apart(survey: Survey) -> None:
    """A licence makes no other program; a driver does, and so does a part."""
    programs = Programs(survey)
    base = survey.least

    def key(**changes: str | bool) -> str:
        return programs.of({**base, **changes}).key

    assert key(license="MIT") == key(license="proprietary")
    assert key(type_checker="mypy", pre_commit=True) == key(type_checker="ty", pre_commit=False)
    assert key(database_driver="psycopg") != key(database_driver="asyncpg")
    assert key(auth="none") != key(auth="jwt")
    everything = programs.all()
    assert len({program.key for program in everything}) == len(everything)
    assert {key(auth=auth) for auth in ("none", "jwt")} <= {p.key for p in everything}


@pytest.mark.parametrize("text", ["0/8", "9/8", "1", "a/b", "1/0", "-1/2"])
def test_refuses_what_is_no_shard(text: str) -> None:
    """One sentence says what a shard is."""
    with pytest.raises(ArgumentTypeError, match="is no shard: 1/8 is the first of eight"):
        shard(text)
    assert shard("2/8") == (2, 8)
