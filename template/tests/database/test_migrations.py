"""Migrations: forth, back, in step with the models, safe when run at once."""

import asyncio
import io
import os
import sys
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Column, NullPool, TypeDecorator, insert, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.base import Base, utc_now
from tests.databases import SCHEMA, new_database
from tests.migrating import PROJECT, alembic_config, upgrade


async def schema_of(url: URL) -> list[tuple[str, ...]]:
    """Columns, constraints and indexes."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        rows = await connection.execute(text(SCHEMA))
        return sorted(tuple(map(str, row)) for row in rows)


def python_type(column: Column[Any]) -> type:
    """The type of a column's values."""
    kind = column.type
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


async def fill(url: URL) -> None:
    """Store a row in each table; what refers to another table refers to its row."""
    engine = create_async_engine(url, poolclass=NullPool)
    identifier = uuid4()
    values: dict[type, object] = {
        bool: True,
        datetime: utc_now(),
        int: 1,
        str: "text",
        UUID: identifier,
    }
    async with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            row = {column.name: values[python_type(column)] for column in table.columns}
            await connection.execute(insert(table).values(row))
        await connection.commit()


async def test_models_and_migrations_agree(own_database: URL) -> None:
    try:
        await asyncio.to_thread(command.check, alembic_config(own_database))
    except CommandError as difference:
        pytest.fail(f'A revision is missing, write it with make migration m="…". {difference}')


async def test_up_down_up_gives_the_same_schema(server: URL) -> None:
    async with new_database(server) as url:
        await upgrade(url)
        first = await schema_of(url)
        await fill(url)
        await asyncio.to_thread(command.downgrade, alembic_config(url), "base")
        left = await schema_of(url)
        assert {row[0] for row in left} <= {"alembic_version"}
        await upgrade(url)
        assert await schema_of(url) == first


async def test_sql_can_be_written_instead(server: URL) -> None:
    sql = io.StringIO()
    config = alembic_config(server)
    config.output_buffer = sql
    await asyncio.to_thread(command.upgrade, config, "head", sql=True)
    for table in Base.metadata.tables:
        assert f"CREATE TABLE {table} (" in sql.getvalue()


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
