"""The engine on SQLite: foreign keys, one writer at a time, and failed commits."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL, text
from sqlalchemy.exc import IntegrityError

from app.db.errors import DatabaseUnavailable
from app.db.session import Database, ReadSession, WriteSession
from app.main import create_app
from tests.conftest import settings_for


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database with a note, and a short lock timeout."""
    database = Database.create(settings_for(own_database, database_lock_timeout=0.2))
    deferred = "DEFERRABLE INITIALLY DEFERRED"
    async with database.write.begin() as session:
        for statement in (
            "CREATE TABLE notes (id int PRIMARY KEY, number int)",
            f"CREATE TABLE lines (note int REFERENCES notes (id) {deferred})",
            "INSERT INTO notes VALUES (1, 0)",
        ):
            await session.execute(text(statement))
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


@pytest.mark.parametrize(
    ("pragma", "value"), [("foreign_keys", 1), ("journal_mode", "wal"), ("synchronous", 1)]
)
async def test_every_connection_is_configured(
    database: Database, pragma: str, value: object
) -> None:
    async with database.read() as first, database.read() as second:
        for session in (first, second):
            assert await session.scalar(text(f"PRAGMA {pragma}")) == value


async def test_failed_commit_is_an_error_and_leaves_no_row(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    @app.post("/lines", status_code=201)
    async def write(session: WriteSession) -> None:
        await session.execute(text("INSERT INTO lines VALUES (2)"))

    @app.get("/lines")
    async def count(session: ReadSession) -> int:
        return int((await session.execute(text("SELECT count(*) FROM lines"))).scalar_one())

    assert (await client.post("/lines")).status_code == 409
    assert (await client.get("/lines")).json() == 0


async def test_connection_of_a_failed_commit_is_clean(
    own_database: URL, database: Database
) -> None:
    single = Database.create(
        settings_for(own_database, database_pool_size=1, database_max_overflow=0)
    )
    with pytest.raises(IntegrityError):
        async with single.write.begin() as session:
            await session.execute(text("INSERT INTO lines VALUES (2)"))
    async with single.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM lines")) == 0
    async with database.write.begin() as session:
        await session.execute(text("UPDATE notes SET number = 1"))
    await single.close()


async def test_transactions_that_read_and_then_write_are_serialized(own_database: URL) -> None:
    database = Database.create(settings_for(own_database))

    async def count_up() -> None:
        async with database.write.begin() as session:
            number = await session.scalar(text("SELECT number FROM numbers"))
            await asyncio.sleep(0.001)
            change = text("UPDATE numbers SET number = :number")
            await session.execute(change, {"number": number + 1})

    async with database.write.begin() as session:
        await session.execute(text("CREATE TABLE numbers (number int)"))
        await session.execute(text("INSERT INTO numbers VALUES (0)"))
    await asyncio.gather(*(count_up() for _ in range(20)))
    async with database.read() as session:
        assert await session.scalar(text("SELECT number FROM numbers")) == 20
    await database.close()


async def test_wait_for_the_writer_ends_and_readers_do_not_wait(database: Database) -> None:
    async with database.write.begin() as session:
        await session.execute(text("UPDATE notes SET number = 1"))
        async with database.read() as reader:
            assert await reader.scalar(text("SELECT number FROM notes")) == 0
        with pytest.raises(DatabaseUnavailable):
            async with database.write() as other:
                await other.execute(text("UPDATE notes SET number = 2"))
