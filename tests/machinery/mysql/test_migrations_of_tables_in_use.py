"""Migrations and other users of the same tables do not stop each other: on MySQL and MariaDB."""

# Depends on: migrations/env.py tests/machinery/always/histories.py

from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.database import new_database
from tests.machinery.always.histories import (
    check_giving_up,
    check_waiting_stops_no_other,
    upgrade,
    write_history,
)

FIRST = """
    op.execute("CREATE TABLE seen (id int PRIMARY KEY, number int)")
"""
DROP = """
    op.execute("DROP TABLE seen")
"""


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A history of a table, and its end."""
    return write_history(tmp_path, {"first": FIRST, "drop": DROP})


async def test_migration_that_waits_for_a_reader_stops_no_other(
    server: URL, versions: Path
) -> None:
    async with new_database(server) as url:
        await (await upgrade(url, versions, "first")).communicate()
        await check_waiting_stops_no_other(url, versions)


async def test_migration_gives_up_after_its_last_attempt(
    server: URL, versions: Path, tmp_path: Path
) -> None:
    async with new_database(server) as url:
        await (await upgrade(url, versions, "first")).communicate()
        await check_giving_up(url, versions, tmp_path, "SHOW PROCESSLIST")
