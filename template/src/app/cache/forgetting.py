"""The cache hears of what a session changed: when its transaction is over, not before."""

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
class ForgettingDatabase(Database):
    """A database with a cache: what its sessions changed is forgotten when they are closed."""

    cache: Cache

    @classmethod
    def of(cls, database: Database, cache: Cache) -> Self:
        """The same database with a cache."""
        write: async_sessionmaker[AsyncSession]
        write = async_sessionmaker(class_=_ForgettingSession, **database.write.kw)
        write.configure(info={CACHE: cache})
        return cls(database.engine, database.read, write, cache)

    async def close(self) -> None:
        """Close every connection of both."""
        await super().close()
        await self.cache.close()


def forget_row(session: AsyncSession, model: type[object], *identity: object) -> None:
    """Say that a row changes where the session cannot see it: by `update()` or `delete()`."""
    _changed(session.sync_session).add(row(model, *identity))


class _NotingSession(Session):
    """Notes the rows that it writes."""


@event.listens_for(_NotingSession, "after_flush")
def _note(session: Session, _flush: UOWTransaction) -> None:
    _changed(session).update(map(_row_of, (*session.dirty, *session.deleted)))


def _row_of(instance: object) -> Row:
    return row(type(instance), *object_mapper(instance).primary_key_from_instance(instance))


def _changed(session: Session) -> set[Row]:
    changed: set[Row] = session.info.setdefault(CHANGED, set[Row]())
    return changed


class _ForgettingSession(AsyncSession):
    sync_session_class = _NotingSession

    async def close(self) -> None:
        """Give the connection back, and then tell the cache what changed.

        Also after a commit that failed: its answer may have been lost on the way.
        """
        await super().close()
        changed: set[Row] = self.info.pop(CHANGED, set[Row]())
        if changed:
            cache: Cache = self.info[CACHE]
            await cache.forget(changed)
