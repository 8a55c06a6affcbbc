"""Migrations and other users of the same tables do not stop each other."""

# Depends on: migrations/env.py tests/machinery/always/histories.py
# On every change, once for: database

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.database import new_database
from tests.machinery.always.histories import (
    check_giving_up,
    check_waiting_stops_no_other,
    upgrade,
    write_history,
)

FIRST = """
    op.execute("CREATE TABLE seen (id uuid PRIMARY KEY, number int)")
"""
CONCURRENTLY = """
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_seen_number ON seen (number)")
"""
DROP = """
    op.execute("DROP TABLE seen")
"""
# Ten times as long as the limit of the test.
WAITS = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
AND query LIKE 'CREATE INDEX%' AND clock_timestamp() - query_start > interval '1 second'
"""
LOOKS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle' AND query LIKE 'ROLLBACK%'
"""


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A history of a table, an index of it that is built beside its users, and its end."""
    return write_history(tmp_path, {"first": FIRST, "index": CONCURRENTLY, "drop": DROP})


async def wait_for(observer: AsyncConnection, query: str, run: asyncio.subprocess.Process) -> None:
    """Wait until a query counts something, which it does while the process runs."""
    while not await observer.scalar(text(query)):
        assert run.returncode is None
        await asyncio.sleep(0.02)


async def test_concurrent_upgrades_with_an_index_built_concurrently(
    server: URL, versions: Path
) -> None:
    async with new_database(server) as url:
        runs = [await upgrade(url, versions, "index") for _ in range(4)]
        outputs = await asyncio.gather(*(run.communicate() for run in runs))
        assert [run.returncode for run in runs] == [0] * 4, outputs


async def test_run_that_waits_for_another_keeps_no_transaction(server: URL, versions: Path) -> None:
    """An index that the other run builds concurrently would wait for it."""
    async with new_database(server) as url:
        engine = create_async_engine(url, poolclass=NullPool)
        reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as holder, reading.connect() as observer:
            await holder.execute(text("SELECT pg_advisory_xact_lock(7012026)"))
            run = await upgrade(url, versions, "first")
            await wait_for(observer, LOOKS, run)
        output, _ = await run.communicate()
        assert run.returncode == 0, output


async def test_index_waits_for_writers_without_limit(server: URL, versions: Path) -> None:
    """Also where the role has a `lock_timeout`: a second attempt would find half an index."""
    async with new_database(server) as url:
        await (await upgrade(url, versions, "first")).communicate()
        engine = create_async_engine(url, poolclass=NullPool)
        reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as writer, reading.connect() as observer:
            limit = f"ALTER DATABASE {url.database} SET lock_timeout = '100ms'"
            await observer.execute(text(limit))
            await writer.execute(text("LOCK TABLE seen IN ROW EXCLUSIVE MODE"))
            run = await upgrade(url, versions, "index")
            await wait_for(observer, WAITS, run)
        output, _ = await run.communicate()
        assert run.returncode == 0, output
        assert b"trying again" not in output


async def test_migration_that_waits_for_a_reader_stops_no_other(
    server: URL, versions: Path
) -> None:
    async with new_database(server) as url:
        await (await upgrade(url, versions, "index")).communicate()
        await check_waiting_stops_no_other(url, versions)


async def test_migration_gives_up_after_its_last_attempt(
    server: URL, versions: Path, tmp_path: Path
) -> None:
    async with new_database(server) as url:
        await (await upgrade(url, versions, "index")).communicate()
        await check_giving_up(url, versions, tmp_path, "see pg_stat_activity")
