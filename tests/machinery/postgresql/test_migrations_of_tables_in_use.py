"""Migrations and other users of the same tables do not stop each other."""

# Depends on: migrations/env.py
# On every change, once for: database

import asyncio
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import PROJECT
from tests.database import new_database

HEADER = """
from alembic import op

revision, down_revision = "{revision}", {before}

def upgrade():
"""
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
UPGRADE = """
import sys
from alembic import command
from alembic.config import Config

config = Config(toml_file="pyproject.toml")
config.attributes["url"], environment, folder, revision = sys.argv[1:]
config.toml_alembic_config["script_location"] = environment
config.toml_alembic_config["version_locations"] = [folder]
command.upgrade(config, revision)
"""


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A history of a table, an index of it that is built beside its users, and its end."""
    before = None
    for revision, body in (("first", FIRST), ("index", CONCURRENTLY), ("drop", DROP)):
        header = HEADER.format(revision=revision, before=repr(before))
        (tmp_path / f"{revision}.py").write_text(header + body, "utf-8")
        before = revision
    return tmp_path


async def upgrade(
    url: URL, versions: Path, revision: str, environment: Path = PROJECT / "migrations"
) -> asyncio.subprocess.Process:
    """Start an upgrade in a process of its own."""
    told = url.render_as_string(hide_password=False)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", UPGRADE, told, str(environment), str(versions), revision),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def hasty(folder: Path) -> Path:
    """The environment of migrations with two attempts of a second each."""
    text = (PROJECT / "migrations" / "env.py").read_text("utf-8")
    for before, after in {"ATTEMPTS = 20": "ATTEMPTS = 2", "TIMEOUT = 5": "TIMEOUT = 1"}.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "hasty").mkdir()
    (folder / "hasty" / "env.py").write_text(text, "utf-8")
    return folder / "hasty"


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
            while not await observer.scalar(text(LOOKS)):
                assert run.returncode is None
                await asyncio.sleep(0.02)
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
            while not await observer.scalar(text(WAITS)):
                assert run.returncode is None
                await asyncio.sleep(0.1)
        output, _ = await run.communicate()
        assert run.returncode == 0, output
        assert b"trying again" not in output


async def test_migration_that_waits_for_a_reader_stops_no_other(
    server: URL, versions: Path
) -> None:
    async with new_database(server) as url:
        await (await upgrade(url, versions, "index")).communicate()
        engine = create_async_engine(url, poolclass=NullPool)
        query = text("SELECT count(*) FROM seen")
        async with engine.connect() as reader:
            await reader.execute(query)
            run = await upgrade(url, versions, "drop")
            assert run.stdout
            told = await asyncio.wait_for(run.stdout.readline(), 60)
            assert told.decode() == "A table is in use; trying again.\n"
            async with engine.connect() as other:
                await asyncio.wait_for(other.execute(query), 30)
        await run.communicate()
        assert run.returncode == 0


async def test_migration_gives_up_after_its_last_attempt(
    server: URL, versions: Path, tmp_path: Path
) -> None:
    async with new_database(server) as url:
        await (await upgrade(url, versions, "index")).communicate()
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.connect() as reader:
            await reader.execute(text("SELECT count(*) FROM seen"))
            run = await upgrade(url, versions, "drop", hasty(tmp_path))
            output, _ = await asyncio.wait_for(run.communicate(), 60)
        assert run.returncode == 1
        assert output.decode().splitlines() == [
            "A table is in use; trying again.",
            "A table was in use at each of 2 attempts: see pg_stat_activity.",
        ]
