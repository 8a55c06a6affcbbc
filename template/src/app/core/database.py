"""The database: one engine, sessions that read and sessions that write, and the one commit.

The engine is in autocommit, so that a read is a single statement on the wire; writing sessions opt
in to transactions. A bare `engine.begin()` is therefore not atomic: use `Database.write`.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Annotated, Self

from fastapi import Depends, Request
from sqlalchemy import MetaData, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.core.config import Settings


class Base(DeclarativeBase):
    """Base of all models; the naming convention gives every constraint a name to migrate by."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


@dataclass(frozen=True)
class Database:
    """The engine and the two kinds of session on it."""

    engine: AsyncEngine
    read: async_sessionmaker[AsyncSession]
    """Sessions without a transaction: each statement stands for itself."""
    write: async_sessionmaker[AsyncSession]
    """Sessions with a transaction, which somebody has to commit."""

    @classmethod
    def create(cls, settings: Settings) -> Self:
        """Configure the engine; the first connection is made when one is needed."""
        engine = create_async_engine(
            settings.database_url.get_secret_value(),
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            hide_parameters=True,
            pool_size=settings.database_pool_size,
            max_overflow=settings.database_max_overflow,
            pool_timeout=settings.database_pool_timeout,
        )
        _ping_idle_connections(engine, after=settings.database_ping_after)
        _renew_connections_with_stale_plans(engine)
        transactional = engine.execution_options(isolation_level="READ COMMITTED")
        return cls(
            engine,
            read=async_sessionmaker(engine, expire_on_commit=False, autoflush=False),
            # A session used after its request, by a streamed answer for instance, raises
            # instead of taking a connection that nobody gives back.
            write=async_sessionmaker(
                transactional, expire_on_commit=False, close_resets_only=False
            ),
        )

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self.engine.dispose()


def _ping_idle_connections(engine: AsyncEngine, *, after: float) -> None:
    """Test a pooled connection before use if it lay idle for more than `after` seconds.

    SQLAlchemy's `pool_pre_ping` does so at every check-out, which busy pools do not need.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def remember(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def ping(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        if monotonic() - record.info.get("idle_since", inf) < after:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def _renew_connections_with_stale_plans(engine: AsyncEngine) -> None:
    """Drop a connection whose prepared statements a migration has made useless.

    After a column changed its type, a driver may otherwise fail on that connection for ever.
    """

    @event.listens_for(engine.sync_engine, "handle_error")
    def renew(context: ExceptionContext) -> None:
        if "cached plan must not change result type" in str(context.original_exception):
            context.is_disconnect = True


def get_database(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


DatabaseDependency = Annotated[Database, Depends(get_database)]


async def _write_session(database: DatabaseDependency) -> AsyncIterator[AsyncSession]:
    async with database.write() as session:
        yield session
        await session.commit()


async def _read_session(database: DatabaseDependency) -> AsyncIterator[AsyncSession]:
    async with database.read() as session:
        yield session


# With the scope "function" the commit comes before the answer is sent: one that fails is a 500.
WriteSession = Annotated[AsyncSession, Depends(_write_session, scope="function")]
"""One transaction for a request: committed when its endpoint returns, rolled back if it raises."""
ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
"""A session for a request that changes nothing."""


async def commit_before_refusal(session: AsyncSession) -> None:
    """Keep what has to outlive the error that is about to be raised."""
    await session.commit()
