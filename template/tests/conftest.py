"""Fixtures for all tests: a database, the application on it, and a client."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import async_sessionmaker

from app.core.config import Settings
from app.db.engine import WRITING
from app.db.session import Database
from app.main import create_app
from tests.databases import new_database
from tests.migrating import upgrade
from tests.servers import database_server

# What tests of every part need of one part.
pytest_plugins = [
    f"tests.{file.parent.name}.fixtures" for file in Path(__file__).parent.glob("*/fixtures.py")
]

# The developer's own settings must not change what tests see.
GIVEN_SERVER = os.environ.get("APP_DATABASE_URL")
for name in [name for name in os.environ if name.startswith("APP_")]:
    del os.environ[name]
os.environ["APP_ENVIRONMENT"] = "test"


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """The server on which tests make their databases."""
    with database_server(GIVEN_SERVER) as url:
        yield url


@pytest.fixture(scope="session")
async def template(server: URL) -> AsyncIterator[URL]:
    """A migrated database, to copy from."""
    async with new_database(server) as url:
        await upgrade(url)
        yield url


@pytest.fixture(scope="session")
async def shared_database(server: URL, template: URL) -> AsyncIterator[Database]:
    """A database for all tests that leave nothing behind."""
    async with new_database(server, template) as url:
        database = Database.create(settings_for(url))
        yield database
        await database.close()


@pytest.fixture
async def database(shared_database: Database) -> AsyncIterator[Database]:
    """One connection, whose transaction is rolled back after the test.

    Commits of the code under test end a savepoint. Reads must not open one of their own: closing it
    would undo what was written since.
    """
    async with shared_database.engine.connect() as connection:
        await connection.execution_options(**WRITING)
        transaction = await connection.begin()
        yield Database(
            shared_database.engine,
            read=async_sessionmaker(
                connection,
                expire_on_commit=False,
                autoflush=False,
                join_transaction_mode="rollback_only",
            ),
            write=async_sessionmaker(
                connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
            ),
        )
        await transaction.rollback()


@pytest.fixture
async def own_database(server: URL, template: URL) -> AsyncIterator[URL]:
    """A migrated database for one test that commits, or uses many connections."""
    async with new_database(server, template) as url:
        yield url


@pytest.fixture
def settings(server: URL) -> Settings:
    """Settings that no environment has changed."""
    return settings_for(server)


def settings_for(url: URL, **changes: float) -> Settings:
    """Settings for tests on this database."""
    secret = SecretStr(url.render_as_string(hide_password=False))
    return Settings(environment="test", database_url=secret).model_copy(update=changes)


@pytest.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The application, started, on the test's connection."""
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
    """A client of the application that sees a failure as an answer, as real ones do."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://test")
