"""Revisions go down although the tables hold rows."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from alembic import command
from sqlalchemy import URL, Column, NullPool, TypeDecorator, insert
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.base import Base, utc_now
from tests.conftest import alembic_config, upgrade
from tests.database import new_database
from tests.test_migrations import schema_of


def python_type(column: Column[Any]) -> type:
    """The type of a column's values."""
    kind = column.type
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


async def fill(url: URL) -> None:
    """Insert a row into each table; foreign keys refer to the row of the other table."""
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


async def test_filled_tables_go_down_and_up(server: URL) -> None:
    async with new_database(server) as url:
        await upgrade(url)
        first = await schema_of(url)
        await fill(url)
        await asyncio.to_thread(command.downgrade, alembic_config(url), "base")
        assert all(line.startswith("alembic_version: ") for line in await schema_of(url))
        await upgrade(url)
        assert await schema_of(url) == first
