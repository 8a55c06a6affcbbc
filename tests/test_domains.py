"""Domains that the companion command writes into a service: its checks and tests pass at once."""

from collections.abc import Callable
from pathlib import Path

from plinth.harness.domains import DOMAINS, PROGRAMS, attempt
from plinth.harness.memory import Memory
from plinth.harness.releases import CURRENT, content_digest

# Those of the domains, and those that see every route and every table.
NAMES = [domain.split()[0] for domain in DOMAINS]
TESTS = [*(f"tests/{name}" for name in NAMES), "tests/test_api.py", "tests/test_migrations.py"]


def test_three_domains_in_a_service(
    releases: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The tests of what was written, in one kind of service; `make domains` runs all in twelve."""
    [program] = [program for program in PROGRAMS if program.name == "sqlite"]
    memory, key = Memory.of("domains"), content_digest()
    record_property("domains remembered", int(key in memory))
    if key in memory:
        return
    outcome = attempt(program, releases, CURRENT, tmp_path / "service", TESTS)
    assert not outcome.failure, outcome.failure
    record_property("progress", f"{outcome.tests} tests in {outcome.seconds:.0f} s")
    memory.add(key, cell=program.name)
