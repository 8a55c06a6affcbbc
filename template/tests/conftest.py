"""Fixtures for all tests: a database, the application on it, and a client."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

from app.core.config import Settings
from app.db.session import Database
from app.main import create_app
from tests.database import database_server, new_database

AnySession = TypeVar("AnySession", bound=AsyncSession)

PROJECT = Path(__file__).parent.parent

# Fixtures of one folder that tests of the others use too.
pytest_plugins = [
    f"tests.{file.parent.name}.fixtures" for file in Path(__file__).parent.glob("*/fixtures.py")
]

# A developer's own settings must not change the results.
GIVEN_SERVER = os.environ.get("APP_DATABASE_URL")
for name in [name for name in os.environ if name.startswith("APP_")]:
    del os.environ[name]
os.environ["APP_ENVIRONMENT"] = "test"


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """The server on which the databases of the tests are created."""
    with database_server(GIVEN_SERVER) as url:
        yield url


@pytest.fixture(scope="session")
async def template(server: URL) -> AsyncIterator[URL]:
    """A migrated database that the others are copies of."""
    async with new_database(server) as url:
        await upgrade(url)
        yield url


@pytest.fixture(scope="session")
async def shared_database(server: URL, template: URL) -> AsyncIterator[Database]:
    """The database of the tests that leave no rows behind."""
    async with new_database(server, template) as url:
        database = Database.create(settings_for(url))
        yield database
        await database.close()


@pytest.fixture
async def database(shared_database: Database) -> AsyncIterator[Database]:
    """One connection, whose transaction is rolled back after the test.

    A commit of the code under test releases a savepoint. A read session has none: closing it would
    roll back what was written since.
    """
    async with shared_database.write() as session:
        connection = await session.connection()
        yield replace(
            shared_database,
            read=joined_to(shared_database.read, connection, "rollback_only"),
            write=joined_to(shared_database.write, connection, "create_savepoint"),
        )
        await session.rollback()


def joined_to(
    sessions: async_sessionmaker[AnySession], connection: AsyncConnection, mode: str
) -> async_sessionmaker[AnySession]:
    """The same kind of sessions, in the transaction of this connection."""
    joined = async_sessionmaker(class_=sessions.class_, **sessions.kw)
    joined.configure(bind=connection, join_transaction_mode=mode)
    return joined


@pytest.fixture
async def own_database(server: URL, template: URL) -> AsyncIterator[URL]:
    """A migrated database for one test, which may commit and use several connections."""
    async with new_database(server, template) as url:
        yield url


@pytest.fixture
def settings(server: URL) -> Settings:
    """The default settings, on the server of the tests."""
    return settings_for(server)


def settings_for(url: URL, **changes: float) -> Settings:
    """The default settings, on this database, with these changes."""
    secret = SecretStr(url.render_as_string(hide_password=False))
    return Settings(environment="test", database_url=secret).model_copy(update=changes)


@pytest.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The application after its startup, on the connection of the test."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        app.state.database, own = database, app.state.database
        yield app
        app.state.database = own


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without credentials."""
    async with client_of(app) as client:
        yield client


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    """A client of the application, which gets a response where the application raises."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://test")


def alembic_config(url: URL) -> Config:
    """Alembic's configuration, for this database."""
    config = Config(toml_file=PROJECT / "pyproject.toml")
    config.attributes["url"] = url.render_as_string(hide_password=False)
    return config


async def upgrade(url: URL) -> None:
    """Apply every migration."""
    await asyncio.to_thread(command.upgrade, alembic_config(url), "head")
