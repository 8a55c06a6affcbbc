"""Databases for tests: real ones, made for a test run and dropped after it."""

import asyncio
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tools.driver import DRIVER
from tools.embedded_postgres import data_directory, server

PROJECT = Path(__file__).parent.parent
IMAGE = "postgres:18-alpine"


@contextmanager
def database_server(given: str | None) -> Generator[URL]:
    """A server to make databases on: the given one, a container, or the embedded one."""
    if os.environ.get("TEST_DATABASE") == "container":
        from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - asks for Docker

        with PostgresContainer(IMAGE, driver=DRIVER) as container:
            yield make_url(container.get_connection_url())
    elif given:
        yield make_url(given)
    else:
        with server(data_directory("test"), durable=False) as embedded:
            yield make_url(embedded.url("postgres", DRIVER))


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
