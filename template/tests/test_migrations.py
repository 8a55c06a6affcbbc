"""Migrations: reversible, and in step with the models."""

import asyncio

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import alembic_config, upgrade
from tests.database import new_database


async def schema_of(url: URL) -> list[str]:
    """Every table with its columns, constraints and indexes, sorted."""

    def describe(connection: Connection) -> list[str]:
        found = inspect(connection)
        aspects = (
            found.get_multi_columns(),
            found.get_multi_pk_constraint(),
            found.get_multi_foreign_keys(),
            found.get_multi_unique_constraints(),
            found.get_multi_check_constraints(),
            found.get_multi_indexes(),
        )
        return sorted(
            f"{table}: {detail}"
            for aspect in aspects
            for (_, table), details in aspect.items()
            for detail in (details if isinstance(details, list) else [details])
        )

    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        return await connection.run_sync(describe)


async def test_models_and_migrations_agree(own_database: URL) -> None:
    missing = ""
    try:
        await asyncio.to_thread(command.check, alembic_config(own_database))
    except CommandError as difference:
        missing = f'A revision is missing: make migration m="…" writes it. {difference}'
    if missing:
        pytest.fail(missing, pytrace=False)


async def test_up_down_up_gives_the_same_schema(server: URL) -> None:
    async with new_database(server) as url:
        await upgrade(url)
        first = await schema_of(url)
        await asyncio.to_thread(command.downgrade, alembic_config(url), "base")
        assert all(line.startswith("alembic_version: ") for line in await schema_of(url))
        await upgrade(url)
        assert await schema_of(url) == first


async def test_there_is_one_head_at_most(server: URL) -> None:
    heads = ScriptDirectory.from_config(alembic_config(server)).get_heads()
    assert len(heads) <= 1, f"Merge the heads {heads} by: uv run alembic merge heads"
