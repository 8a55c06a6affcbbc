"""Databases for tests: real ones, made for a test run and dropped after it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.db.session import Database
from tools.driver import DRIVER

NOWHERE = f"mysql+{DRIVER}://nobody:pa55word@127.0.0.1:1/none"
"""The URL of a database that is not there."""
SCHEMA = """
    SELECT table_name, column_name, column_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = DATABASE()
    UNION ALL
    SELECT table_name, constraint_name, referenced_table_name, delete_rule, ''
    FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()
    UNION ALL
    SELECT table_name, index_name, column_name, seq_in_index, non_unique
    FROM information_schema.statistics WHERE table_schema = DATABASE()
"""
"""Selects the columns, constraints and indexes of a database, each with its table's name first."""


@asynccontextmanager
async def new_database(server: URL, template: URL | None = None) -> AsyncGenerator[URL]:
    """An empty database, or a copy of `template`."""
    url = server.set(database=f"test_{uuid4().hex}")
    engine = create_async_engine(server, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f"CREATE DATABASE {url.database} CHARACTER SET utf8mb4")
        if template:
            await _copy(connection, str(template.database), str(url.database))
            await connection.commit()
    try:
        yield url
    finally:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"DROP DATABASE {url.database}")


async def close_others(database: Database) -> None:
    """Close every other connection to the database."""
    others = text(
        "SELECT id FROM information_schema.processlist "
        "WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    )
    async with database.read() as session:
        for number in (await session.scalars(others)).all():
            await session.execute(text(f"KILL {number}"))


async def _copy(connection: AsyncConnection, source: str, target: str) -> None:
    await connection.exec_driver_sql("SET foreign_key_checks = 0")
    tables = (await connection.exec_driver_sql(f"SHOW TABLES FROM {source}")).scalars().all()
    await connection.exec_driver_sql(f"USE {target}")
    for table in tables:
        created = await connection.exec_driver_sql(f"SHOW CREATE TABLE {source}.{table}")
        await connection.exec_driver_sql(created.mappings().one()["Create Table"])
        rows = f"SELECT * FROM {source}.{table}"  # noqa: S608 - of tests' own
        await connection.exec_driver_sql(f"INSERT INTO {target}.{table} {rows}")
