"""The databases of the tests: real ones, created for a test run and dropped after it."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.url import parse_url
from tools.embedded_postgres import postgres_server


@contextmanager
def database_server(given: str | None) -> Generator[URL]:
    """The given server, or the embedded one."""
    if given:
        yield parse_url(given)
    else:
        with postgres_server("test", durable=False) as embedded:
            yield parse_url(embedded.url("postgres"))


@asynccontextmanager
async def new_database(server: URL, template: URL | None = None) -> AsyncGenerator[URL]:
    """An empty database, or a copy of `template`, which must have no open connections."""
    url = server.set(database=f"test_{uuid4().hex}")
    source = f' TEMPLATE "{template.database}"' if template else ""
    await _execute(server, f'CREATE DATABASE "{url.database}"{source}')
    try:
        yield url
    finally:
        await _execute(server, f'DROP DATABASE "{url.database}" WITH (FORCE)')


def unreachable(server: URL) -> URL:
    """The URL of a server that does not exist."""
    return server.set(host="127.0.0.1", port=1, query={})


async def _execute(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
