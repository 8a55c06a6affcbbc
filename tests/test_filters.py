"""A command whose filter matches nothing is refused: it would pass without doing anything."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from plinth.harness.source import REPOSITORY

REFUSED: Sequence[tuple[Sequence[str], str]] = [
    (("tools.mutants", "--match", "nonesuch"), "nothing matches 'nonesuch'"),
    (("tools.mutants", "--match", "["), "'[' is not a regular expression"),
    (("tools.proofs", "--match", "nonesuch"), "nothing matches 'nonesuch'"),
    (("tools.code_mutants", "--sample", "0"), "'0' is not a number from 1 upwards"),
    (("tools.matrix", "--strength", "0"), "invalid choice: 0"),
    (("tools.sweep", "--shard", "9/8"), "'9/8' is no shard"),
    (("benchmarks", "outage", "--only", "nonesuch"), "nothing matches 'nonesuch'"),
    (("benchmarks", "--only", "nonesuch"), "NAME chooses a benchmark"),
]


@pytest.mark.parametrize(("command", "told"), REFUSED, ids=str)
def test_is_refused(command: Sequence[str], told: str) -> None:
    """The last line says why, and the exit status is that of a wrong argument."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
