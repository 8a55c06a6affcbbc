"""The engine on MySQL: strictness, timeouts and deadlocks."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

import asyncio
import traceback
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from app.db.errors import DatabaseUnavailable, TransactionConflict
from app.db.session import Database
from tests.conftest import settings_for

VALUE = "zoe's secret"


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database with two notes."""
    database = Database.create(settings_for(own_database))
    async with database.write.begin() as session:
        await session.execute(text("CREATE TABLE notes (id int PRIMARY KEY, body varchar(5))"))
        await session.execute(text("INSERT INTO notes VALUES (1, 'a'), (2, 'b')"))
    yield database
    await database.close()


async def rename(database: Database, *numbers: int, barrier: asyncio.Barrier | None = None) -> None:
    """Change these notes one after the other, in one transaction; wait after the first."""
    async with database.write.begin() as session:
        for number in numbers:
            change = text("UPDATE notes SET body = CONCAT(body, 'x') WHERE id = :id")
            await session.execute(change, {"id": number})
            if barrier and number == numbers[0]:
                await barrier.wait()


async def test_text_that_does_not_fit_is_refused_not_cut(database: Database) -> None:
    async with database.write() as session:
        with pytest.raises(DBAPIError):
            await session.execute(text("INSERT INTO notes VALUES (3, 'too long')"))


@pytest.mark.parametrize("statement", ["UPDATE notes SET id = :value", "UPDATE :value"])
async def test_error_in_data_or_statement_does_not_show_the_value(
    database: Database, statement: str
) -> None:
    async with database.write() as session:
        with pytest.raises(DBAPIError) as refusal:
            await session.execute(text(statement), {"value": VALUE})
    assert "secret" not in "".join(traceback.format_exception(refusal.value))


async def test_any_character_is_kept(database: Database) -> None:
    async with database.write.begin() as session:
        await session.execute(text("INSERT INTO notes VALUES (3, :body)"), {"body": "\U0001f9f1é"})
    async with database.read() as session:
        body = await session.scalar(text("SELECT body FROM notes WHERE id = 3"))
    assert body == "\U0001f9f1é"


async def test_read_sees_what_was_committed_before_it(database: Database) -> None:
    async with database.read() as session:
        await session.execute(text("SELECT body FROM notes WHERE id = 1"))
        await rename(database, 1)
        body = await session.scalar(text("SELECT body FROM notes WHERE id = 1"))
    assert body == "ax"


async def test_statement_that_takes_too_long_ends(own_database: URL) -> None:
    database = Database.create(settings_for(own_database, database_statement_timeout=1))
    slow = "SELECT count(*) FROM information_schema.columns a, information_schema.columns b, "
    async with database.read() as session:
        with pytest.raises(DatabaseUnavailable):
            await session.execute(text(f"{slow}information_schema.columns c"))
    async with database.read() as session:
        await session.execute(text("SELECT 1"))
    await database.close()


async def test_wait_for_a_lock_ends(own_database: URL, database: Database) -> None:
    waiting = Database.create(settings_for(own_database, database_lock_timeout=1))
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
