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
    op.execute("ALTER TABLE seen ADD COLUMN name text")
"""
DROP = """
    op.execute("DROP TABLE seen")
"""
UPGRADE = """
import sys
from alembic import command
from alembic.config import Config

config = Config(toml_file="pyproject.toml")
config.attributes["url"], folder, revision = sys.argv[1:]
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


async def upgrade(url: URL, versions: Path, revision: str) -> asyncio.subprocess.Process:
    """Start an upgrade in a process of its own."""
    told = url.render_as_string(hide_password=False)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", UPGRADE, told, str(versions), revision),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_concurrent_upgrades_with_an_index_built_concurrently(
    server: URL, versions: Path
) -> None:
    async with new_database(server) as url:
        runs = [await upgrade(url, versions, "index") for _ in range(4)]
        outputs = await asyncio.gather(*(run.communicate() for run in runs))
        assert [run.returncode for run in runs] == [0] * 4, outputs


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
