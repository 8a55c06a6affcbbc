"""What is MySQL's alone: strictness, time-outs and deadlocks."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from app.db.errors import DatabaseUnavailable, TransactionConflict
from app.db.session import Database
from tests.conftest import settings_for


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database of its own with two notes, and short time-outs."""
    settings = settings_for(own_database, database_statement_timeout=0.5, database_lock_timeout=1)
    database = Database.create(settings)
    async with database.write.begin() as session:
        await session.execute(text("CREATE TABLE notes (id int PRIMARY KEY, body varchar(5))"))
        await session.execute(text("INSERT INTO notes VALUES (1, 'a'), (2, 'b')"))
    yield database
    await database.close()


async def rename(database: Database, *numbers: int) -> None:
    """Change these notes one after the other, in one transaction."""
    async with database.write.begin() as session:
        for number in numbers:
            change = text("UPDATE notes SET body = CONCAT(body, 'x') WHERE id = :id")
            await session.execute(change, {"id": number})
            await asyncio.sleep(0.1)


async def test_text_that_does_not_fit_is_refused_not_cut(database: Database) -> None:
    async with database.write() as session:
        with pytest.raises(DBAPIError):
            await session.execute(text("INSERT INTO notes VALUES (3, 'too long')"))


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


async def test_statement_that_takes_too_long_ends(database: Database) -> None:
    slow = "SELECT count(*) FROM information_schema.columns a, information_schema.columns b, "
    start = monotonic()
    async with asyncio.timeout(20), database.read() as session:
        with pytest.raises(DatabaseUnavailable):
            await session.execute(text(f"{slow}information_schema.columns c"))
    assert monotonic() - start < 10
    async with database.read() as session:
        await session.execute(text("SELECT 1"))


async def test_wait_for_a_lock_ends(database: Database) -> None:
    async with database.write.begin() as session:
        await session.execute(text("UPDATE notes SET body = 'c' WHERE id = 1"))
        with pytest.raises(DatabaseUnavailable):
            await rename(database, 1)


async def test_one_of_two_in_a_deadlock_may_try_again(database: Database) -> None:
    results = await asyncio.gather(
        rename(database, 1, 2), rename(database, 2, 1), return_exceptions=True
    )
    assert [type(result) for result in results if result] == [TransactionConflict]
    async with database.read() as session:
        bodies = await session.scalars(text("SELECT body FROM notes ORDER BY id"))
        assert bodies.all() == ["ax", "bx"]
