"""Invalidation: rows that a session changed, after its transaction has ended."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, UOWTransaction, object_mapper

from app.cache.cache import Cache
from app.cache.entries import Row, row
from app.db.session import Database

CHANGED = "changed"
CACHE = "cache"


@dataclass(frozen=True)
class InvalidatingDatabase(Database):
    """A database whose write sessions invalidate the cache when they are closed."""

    cache: Cache

    @classmethod
    def of(cls, database: Database, cache: Cache) -> Self:
        """The same database, with this cache."""
        write: async_sessionmaker[AsyncSession]
        write = async_sessionmaker(class_=_InvalidatingSession, **database.write.kw)
        write.configure(info={CACHE: cache})
        return cls(database.engine, database.read, write, database.probe, cache)

    async def close(self) -> None:
        """Close the connections to the database and to the cache."""
        await super().close()
        await self.cache.close()


def invalidate_row(session: AsyncSession, model: type[object], *identity: object) -> None:
    """Invalidate a row that `update()` or `delete()` changes, which the session cannot see."""
    _changed(session.sync_session).add(row(model, *identity))


class _RecordingSession(Session):
    """Records the rows that it changes."""


@event.listens_for(_RecordingSession, "after_flush")
def _record(session: Session, _flush: UOWTransaction) -> None:
    _changed(session).update(map(_row_of, (*session.dirty, *session.deleted)))


def _row_of(instance: object) -> Row:
    return row(type(instance), *object_mapper(instance).primary_key_from_instance(instance))


def _changed(session: Session) -> set[Row]:
    changed: set[Row] = session.info.setdefault(CHANGED, set[Row]())
    return changed


class _InvalidatingSession(AsyncSession):
    sync_session_class = _RecordingSession

    async def close(self) -> None:
        """Release the connection, then invalidate what changed.

        Also after a failed commit, which the database may have carried out all the same.
        """
        await super().close()
        changed: set[Row] = self.info.pop(CHANGED, set[Row]())
        if changed:
            cache: Cache = self.info[CACHE]
            await cache.invalidate(changed)
