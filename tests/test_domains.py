"""Domains that the companion command writes into a service: its checks and tests pass at once."""

from collections.abc import Callable
from pathlib import Path

from plinth.harness.domains import PROGRAMS, attempt
from plinth.harness.memory import Memory
from plinth.harness.releases import CURRENT, content_digest


def test_three_domains_in_a_service(
    releases: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """One kind of service; `make domains` takes twelve."""
    [program] = [program for program in PROGRAMS if program.name == "sqlite"]
    memory, key = Memory.of("domains"), content_digest()
    record_property("domains remembered", int(key in memory))
    if key in memory:
        return
    outcome = attempt(program, releases, CURRENT, tmp_path / "service")
    assert not outcome.failure, outcome.failure
    record_property("progress", f"{outcome.tests} tests in {outcome.seconds:.0f} s")
    memory.add(key, cell=program.name)
