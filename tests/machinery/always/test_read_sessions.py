"""Read sessions, which refuse to change anything."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import URL, column, delete, func, insert, select, table, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.session import Database, ReadSession
from app.main import create_app
from tests.conftest import client_of, settings_for


class Base(DeclarativeBase):
    """Models of these tests alone."""


class Note(Base):
    """A note."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int]


async def add(session: AsyncSession) -> None:
    session.add(Note(id=2, size=2))
    await session.flush()


async def add_and_commit(session: AsyncSession) -> None:
    session.add(Note(id=2, size=2))
    await session.commit()


async def change(session: AsyncSession) -> None:
    note = await session.get_one(Note, 1)
    note.size = 2
    await session.flush()


async def remove(session: AsyncSession) -> None:
    await session.delete(await session.get_one(Note, 1))
    await session.commit()


async def add_in_savepoint(session: AsyncSession) -> None:
    async with session.begin_nested():
        session.add(Note(id=2, size=2))


async def insert_row(session: AsyncSession) -> None:
    await session.execute(insert(Note).values(id=2, size=2))


async def insert_by_core(session: AsyncSession) -> None:
    await session.execute(insert(table("notes", column("id"), column("size"))).values(id=2, size=2))


async def update_rows(session: AsyncSession) -> None:
    await session.execute(update(Note).values(size=2))


async def delete_rows(session: AsyncSession) -> None:
    await session.execute(delete(Note))


WAYS = [
    add,
    add_and_commit,
    change,
    remove,
    add_in_savepoint,
    insert_row,
    insert_by_core,
    update_rows,
    delete_rows,
]


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database with one note."""
    database = Database.create(settings_for(own_database))
    async with database.write.begin() as session:
        await (await session.connection()).run_sync(Base.metadata.create_all)
        session.add(Note(id=1, size=1))
    yield database
    await database.close()


async def sizes(database: Database) -> list[int]:
    """The sizes of all notes."""
    async with database.read() as session:
        return list((await session.scalars(select(Note.size).order_by(Note.id))).all())


@pytest.mark.parametrize("way", WAYS)
async def test_change_is_refused_with_a_sentence_and_not_kept(
    database: Database, way: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    with pytest.raises(InvalidRequestError, match="stores nothing: take a WriteSession"):
        async with database.read() as session:
            await way(session)
    assert await sizes(database) == [1]


@pytest.mark.parametrize("way", WAYS)
async def test_write_session_changes(
    database: Database, way: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    async with database.write() as session:
        await way(session)
        await session.commit()
    assert await sizes(database) != [1]


async def test_read_session_reads(database: Database) -> None:
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Note)) == 1
        await session.commit()


async def test_change_that_a_route_forgot_to_flush_is_an_error(
    own_database: URL, database: Database
) -> None:
    app: FastAPI = create_app(settings_for(own_database))

    @app.post("/notes", status_code=201)
    async def write(session: ReadSession) -> None:
        session.add(Note(id=2, size=2))

    async with client_of(app) as client:
        assert (await client.post("/notes")).status_code == 500
    await app.state.database.close()
    assert await sizes(database) == [1]
