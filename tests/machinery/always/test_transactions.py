"""Transactions that are retried."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.errors import TransactionConflict
from app.db.session import Database, in_transaction
from tests.conftest import settings_for


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database with a table of notes."""
    database = Database.create(settings_for(own_database))
    async with database.engine.connect() as connection:
        await connection.execute(text("CREATE TABLE notes (body varchar(100))"))
        await connection.commit()
    yield database
    await database.close()


async def count(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(text("SELECT count(*) FROM notes"))).scalar_one())


class Work:
    """Inserts a note; its first attempts end in a conflict."""

    def __init__(self, conflicts: int) -> None:
        self.conflicts = conflicts

    async def __call__(self, session: AsyncSession) -> str:
        """Insert it."""
        await session.execute(text("INSERT INTO notes VALUES ('a')"))
        self.conflicts -= 1
        if self.conflicts >= 0:
            raise TransactionConflict
        return "written"


@pytest.mark.parametrize("conflicts", [0, 1, 2])
async def test_conflict_is_retried(database: Database, conflicts: int) -> None:
    assert await in_transaction(database, Work(conflicts)) == "written"
    assert await count(database) == 1


async def test_number_of_attempts_is_limited(database: Database) -> None:
    with pytest.raises(TransactionConflict):
        await in_transaction(database, Work(3))
    assert await count(database) == 0


async def test_other_errors_are_not_retried(database: Database) -> None:
    attempts = 0

    async def fail(_session: AsyncSession) -> None:
        nonlocal attempts
        attempts += 1
        raise LookupError

    with pytest.raises(LookupError):
        await in_transaction(database, fail)
    assert attempts == 1
