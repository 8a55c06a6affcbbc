"""The engine on PostgreSQL: deferred constraints, timeouts, deadlocks and a pooler."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

import asyncio
import traceback
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from app.db.errors import DatabaseUnavailable, TransactionConflict
from app.db.session import Database, ReadSession, WriteSession
from app.main import create_app
from tests.conftest import settings_for

VALUE = "zoe's secret"


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database with two notes."""
    database = Database.create(settings_for(own_database))
    async with database.write.begin() as session:
        unique = "UNIQUE DEFERRABLE INITIALLY DEFERRED"
        await session.execute(text(f"CREATE TABLE notes (id int, body text {unique})"))
        await session.execute(text("INSERT INTO notes VALUES (1, 'a'), (2, 'b')"))
    yield database
    await database.close()


@pytest.fixture
async def app(own_database: URL, database: Database) -> AsyncIterator[FastAPI]:
    """The application on this database."""
    app = create_app(settings_for(own_database))
    async with app.router.lifespan_context(app):
        app.state.database, own = database, app.state.database
        yield app
        app.state.database = own


async def rename(database: Database, *numbers: int, barrier: asyncio.Barrier | None = None) -> None:
    """Change these notes one after the other, in one transaction; wait after the first."""
    async with database.write.begin() as session:
        for number in numbers:
            change = text("UPDATE notes SET body = body || 'x' WHERE id = :id")
            await session.execute(change, {"id": number})
            if barrier and number == numbers[0]:
                await barrier.wait()


async def test_error_in_data_does_not_show_the_value(database: Database) -> None:
    async with database.write() as session:
        with pytest.raises(DBAPIError) as refusal:
            await session.execute(text("UPDATE notes SET id = :value"), {"value": VALUE})
    assert "secret" not in "".join(traceback.format_exception(refusal.value))


async def test_failed_commit_is_an_error_and_leaves_no_row(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    @app.post("/notes", status_code=201)
    async def write(session: WriteSession) -> None:
        await session.execute(text("INSERT INTO notes VALUES (3, 'a')"))

    @app.get("/notes")
    async def count(session: ReadSession) -> int:
        return int((await session.execute(text("SELECT count(*) FROM notes"))).scalar_one())

    assert (await client.post("/notes")).status_code == 409
    assert (await client.get("/notes")).json() == 2


async def test_connection_of_a_pooler_keeps_no_state(own_database: URL) -> None:
    database = Database.create(
        settings_for(own_database, database_pooler=True, database_pool_size=1)
    )
    for _ in range(10):  # drivers prepare a statement after a few executions
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    async with database.read() as session:
        left = await session.scalars(text("SELECT name FROM pg_prepared_statements"))
        assert left.all() == []
        assert await session.scalar(text("SHOW statement_timeout")) == "0"
    await database.close()


async def test_statement_that_takes_too_long_ends(own_database: URL) -> None:
    database = Database.create(settings_for(own_database, database_statement_timeout=1))
    async with database.read() as session:
        with pytest.raises(DatabaseUnavailable):
            await session.execute(text("SELECT pg_sleep(60)"))
    async with database.read() as session:
        await session.execute(text("SELECT 1"))
    await database.close()


async def test_wait_for_a_lock_ends(own_database: URL, database: Database) -> None:
    settings = settings_for(own_database, database_statement_timeout=0, database_lock_timeout=0.25)
    waiting = Database.create(settings)
    async with asyncio.timeout(60), database.write.begin() as session:
        await session.execute(text("UPDATE notes SET body = 'c' WHERE id = 1"))
        with pytest.raises(DatabaseUnavailable):
            await rename(waiting, 1)
    await waiting.close()


async def test_one_transaction_of_a_deadlock_may_be_retried(database: Database) -> None:
    barrier = asyncio.Barrier(2)
    results = await asyncio.gather(
        rename(database, 1, 2, barrier=barrier),
        rename(database, 2, 1, barrier=barrier),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result] == [TransactionConflict]
    async with database.read() as session:
        bodies = await session.scalars(text("SELECT body FROM notes ORDER BY id"))
        assert bodies.all() == ["ax", "bx"]


async def test_connections_survive_a_changed_column_type(
    own_database: URL, database: Database
) -> None:
    async def read() -> None:
        async with database.read() as session:
            await session.execute(text("SELECT body FROM notes"))

    for _ in range(10):  # drivers prepare a statement after a few executions
        await read()
    other = Database.create(settings_for(own_database))
    async with other.write.begin() as session:
        await session.execute(text("ALTER TABLE notes ALTER body TYPE varchar(50)"))
    await other.close()
    failures = 0
    for _ in range(3):
        try:
            await read()
        except DatabaseUnavailable:
            failures += 1
    assert failures <= 1
