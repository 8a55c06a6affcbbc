"""The databases of the tests: real ones, created for a test run and dropped after it."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import URL, NullPool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.db.url import parse_url


@contextmanager
def database_server(given: str | None) -> Generator[URL]:
    """The given server, whose user may create databases."""
    if not given:
        pytest.exit("Set APP_DATABASE_URL to a MySQL or MariaDB server for the tests.", 1)
    yield parse_url(given)


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


def unreachable(server: URL) -> URL:
    """The URL of a server that does not exist."""
    return server.set(host="127.0.0.1", port=1, query={})


async def _copy(connection: AsyncConnection, source: str, target: str) -> None:
    await connection.exec_driver_sql("SET foreign_key_checks = 0")
    tables = (await connection.exec_driver_sql(f"SHOW TABLES FROM {source}")).scalars().all()
    await connection.exec_driver_sql(f"USE {target}")
    for table in tables:
        created = await connection.exec_driver_sql(f"SHOW CREATE TABLE {source}.{table}")
        await connection.exec_driver_sql(created.mappings().one()["Create Table"])
        rows = f"SELECT * FROM {source}.{table}"  # noqa: S608 - names from the server itself
        await connection.exec_driver_sql(f"INSERT INTO {target}.{table} {rows}")
