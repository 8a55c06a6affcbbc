"""The databases of the tests: real ones, created for a test run and dropped after it."""

{% if container %}
import os
{% endif %}
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
{% if container %}
from pathlib import Path
{% endif %}
from uuid import uuid4

{% if container %}
import yaml
{% endif %}
from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tools.embedded_postgres import postgres_server

{% if container %}
COMPOSE = Path(__file__).parent.parent / "compose.yaml"

{% endif %}

@contextmanager
def database_server(given: str | None) -> Generator[URL]:
{% if container %}
    """The given server, or the embedded one.

    With `TEST_DATABASE=container` it is a container of the image that compose.yaml names.
    """
    if os.environ.get("TEST_DATABASE") == "container":
        from testcontainers.community.postgres import (  # noqa: PLC0415 - needs Docker
            PostgresContainer,
        )

        image: str = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["database"]["image"]
        container = PostgresContainer(image, driver="{{ database_driver }}")
        # As fast as the embedded server: it does not wait for the disk.
        with container.with_command("postgres -c fsync=off"):
            yield make_url(container.get_connection_url())
    elif given:
{% else %}
    """The given server, or the embedded one."""
    if given:
{% endif %}
        yield make_url(given)
    else:
        with postgres_server("test", durable=False) as embedded:
            yield make_url(embedded.url("postgres", "{{ database_driver }}"))


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
