"""Changes of a transaction invalidate the cache when it ends."""

# Depends on: src/app/cache/ tests/cache/fixtures.py src/app/db/engine.py src/app/db/errors.py
# Depends on: src/app/db/session.py

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import URL, Column, Integer, MetaData, String, Table, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import registry

from app.cache.cache import Cache
from app.cache.entries import row
from app.cache.invalidation import InvalidatingDatabase, invalidate_row
from app.db.session import Database
from tests.cache.fixtures import MakeCache, Thing
from tests.conftest import settings_for

NOTES = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(20)),
)


@dataclass
class Note:
    """A note."""

    id: int
    name: str = "first"


mapper = registry()
mapper.map_imperatively(Note, NOTES)


@pytest.fixture
def cache(make_cache: MakeCache) -> Cache:
    return make_cache()


@pytest.fixture
async def database(own_database: URL, cache: Cache) -> AsyncIterator[Database]:
    plain = Database.create(settings_for(own_database))
    async with plain.engine.begin() as connection:
        await connection.run_sync(NOTES.create)
    async with plain.write.begin() as session:
        session.add(Note(1))
    database = InvalidatingDatabase.of(plain, cache)
    yield database
    await database.close()


async def name_of(cache: Cache, database: Database) -> str:
    """The name of the note, through the cache."""

    async def load() -> Thing:
        async with database.read() as session:
            note = await session.get_one(Note, 1)
            return Thing(name=note.name)

    return (await cache.get_or_load(Thing, [row(Note, 1)], load)).name


async def rename(session: AsyncSession) -> None:
    """Change the name of the note."""
    (await session.get_one(Note, 1)).name = "second"


async def test_commit_of_the_caller_invalidates(cache: Cache, database: Database) -> None:
    assert await name_of(cache, database) == "first"
    async with database.write() as session:
        await rename(session)
        await session.flush()
        assert await name_of(cache, database) == "first"
        await session.commit()
    assert await name_of(cache, database) == "second"


async def test_commit_of_the_context_invalidates(cache: Cache, database: Database) -> None:
    assert await name_of(cache, database) == "first"
    async with database.write.begin() as session:
        await rename(session)
    assert await name_of(cache, database) == "second"


async def test_rollback_shows_what_is_committed(cache: Cache, database: Database) -> None:
    """Readers see what is committed before, during and after the transaction."""
    for already_kept in (True, False):
        if already_kept:
            assert await name_of(cache, database) == "first"
        async with database.write() as session:
            await rename(session)
            await session.flush()
            assert await name_of(cache, database) == "first"
            await session.rollback()
        assert await name_of(cache, database) == "first"
        await cache.invalidate([row(Note, 1)])


async def test_deletion_invalidates(cache: Cache, database: Database) -> None:
    assert await name_of(cache, database) == "first"
    async with database.write.begin() as session:
        await session.delete(await session.get_one(Note, 1))
    async with database.write.begin() as session:
        session.add(Note(1, "second"))
    assert await name_of(cache, database) == "second"


async def test_named_row_of_a_statement_is_invalidated(cache: Cache, database: Database) -> None:
    assert await name_of(cache, database) == "first"
    async with database.write.begin() as session:
        await session.execute(update(Note).where(NOTES.c.id == 1).values(name="second"))
        invalidate_row(session, Note, 1)
    assert await name_of(cache, database) == "second"


async def test_failed_commit_invalidates(
    cache: Cache, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may have committed although the response was lost."""
    assert await name_of(cache, database) == "first"

    async def commit(session: AsyncSession) -> None:
        await original(session)
        raise ConnectionError

    original = AsyncSession.commit
    monkeypatch.setattr(AsyncSession, "commit", commit)
    async with database.write() as session:
        await rename(session)
        with pytest.raises(ConnectionError):
            await session.commit()
    assert await name_of(cache, database) == "second"
