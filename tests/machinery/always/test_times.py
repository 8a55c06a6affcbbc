"""Times in the database."""

# Depends on: src/app/db/base.py src/app/db/engine.py

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import URL, Column, MetaData, Table, insert, select
from sqlalchemy.exc import StatementError

from app.db.base import UTCDateTime
from app.db.session import Database
from tests.conftest import settings_for

MOMENTS = Table("moments", MetaData(), Column("at", UTCDateTime))


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database with a table of times."""
    database = Database.create(settings_for(own_database))
    async with database.engine.connect() as connection:
        await connection.run_sync(MOMENTS.create)
        await connection.commit()
    yield database
    await database.close()


async def test_time_comes_back_in_utc_to_the_microsecond(database: Database) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=east)
    async with database.write.begin() as session:
        await session.execute(insert(MOMENTS).values(at=moment))
    async with database.read() as session:
        stored = await session.scalar(select(MOMENTS.c.at).where(MOMENTS.c.at == moment))
    assert stored is not None
    assert stored == moment
    assert stored.tzinfo is UTC


async def test_time_may_be_null(database: Database) -> None:
    async with database.write.begin() as session:
        await session.execute(insert(MOMENTS).values(at=None))
    async with database.read() as session:
        assert (await session.scalars(select(MOMENTS.c.at))).all() == [None]


async def test_time_without_a_time_zone_is_refused(database: Database) -> None:
    async with database.write() as session:
        with pytest.raises(StatementError, match="needs a time zone"):
            await session.execute(insert(MOMENTS).values(at=datetime.fromisoformat("2026-11-21")))
