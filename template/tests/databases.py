"""Databases for tests: real ones, made for a test run and dropped after it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.session import Database
from tools.driver import DRIVER

NOWHERE = f"postgresql+{DRIVER}://nobody:pa55word@127.0.0.1:1/none"
"""The URL of a database that is not there."""
SCHEMA = """
    SELECT table_name, column_name, data_type, is_nullable
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), ''
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT tablename, indexname, indexdef, '' FROM pg_indexes WHERE schemaname = 'public'
"""
"""Selects the columns, constraints and indexes of a database, each with its table's name first."""


@asynccontextmanager
async def new_database(server: URL, template: URL | None = None) -> AsyncGenerator[URL]:
    """An empty database, or a copy of `template`, to which nobody may be connected."""
    url = server.set(database=f"test_{uuid4().hex}")
    source = f' TEMPLATE "{template.database}"' if template else ""
    await _execute(server, f'CREATE DATABASE "{url.database}"{source}')
    try:
        yield url
    finally:
        await _execute(server, f'DROP DATABASE "{url.database}" WITH (FORCE)')


async def close_others(database: Database) -> None:
    """Close every other connection to the database."""
    async with database.read() as session:
        await session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def _execute(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
