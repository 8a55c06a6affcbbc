"""Databases for tests: real ones, made for a test run and dropped after it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

PROJECT = Path(__file__).parent.parent


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


async def _execute(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def alembic_config(url: URL) -> Config:
    """Alembic's configuration for this database."""
    config = Config(PROJECT / "alembic.ini")
    config.attributes["url"] = url.render_as_string(hide_password=False)
    return config


async def upgrade(url: URL, revision: str = "head") -> None:
    """Migrate the database."""
    await asyncio.to_thread(command.upgrade, alembic_config(url), revision)
