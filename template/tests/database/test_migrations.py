"""Migrations: forth, back, in step with the models, safe when run at once."""

import asyncio
import os
import sys

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.databases import PROJECT, alembic_config, new_database, upgrade


async def schema_of(url: URL) -> list[tuple[str, ...]]:
    """Columns, constraints and indexes."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                """
                SELECT table_name, column_name, data_type, is_nullable
                FROM information_schema.columns WHERE table_schema = 'public'
                UNION ALL
                SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), ''
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace
                UNION ALL
                SELECT tablename, indexname, indexdef, ''
                FROM pg_indexes WHERE schemaname = 'public'
                """
            )
        )
        found = sorted(tuple(map(str, row)) for row in rows)
    await engine.dispose()
    return found


async def test_up_down_up_gives_the_same_schema(server: URL) -> None:
    async with new_database(server) as url:
        await upgrade(url)
        first = await schema_of(url)
        await asyncio.to_thread(command.downgrade, alembic_config(url), "base")
        left = await schema_of(url)
        assert {row[0] for row in left} <= {"alembic_version"}
        await upgrade(url)
        assert await schema_of(url) == first


async def test_models_and_migrations_agree(own_database: URL) -> None:
    try:
        await asyncio.to_thread(command.check, alembic_config(own_database))
    except CommandError as difference:
        pytest.fail(f'A revision is missing, write it with make migration m="…". {difference}')


async def test_there_is_one_head_at_most(server: URL) -> None:
    heads = ScriptDirectory.from_config(alembic_config(server)).get_heads()
    assert len(heads) <= 1, f"Merge the heads {heads} by: uv run alembic merge heads"


UPGRADE = """
from alembic import command
from alembic.config import Config
import app.main
print(flush=True)
input()
command.upgrade(Config("alembic.ini"), "head")
"""


async def test_concurrent_upgrades_are_safe(server: URL) -> None:
    async with new_database(server) as url:
        environment = os.environ | {"APP_DATABASE_URL": url.render_as_string(hide_password=False)}
        pipe = asyncio.subprocess.PIPE
        runs = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", UPGRADE),
                env=environment,
                cwd=PROJECT,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
            )
            for _ in range(4)
        ]
        for run in runs:
            assert run.stdout
            await run.stdout.readline()  # it has imported what it needs
        outputs = await asyncio.gather(*(run.communicate(b"\n") for run in runs))
        assert [run.returncode for run in runs] == [0] * 4, outputs
