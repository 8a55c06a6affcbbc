"""The database: one engine, sessions that read and sessions that write, and the one commit.

What differs between databases is in `app.db.engine`. Use `Database.write` for what has to be
atomic: where the engine is in autocommit, a bare `engine.begin()` is not.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Self, TypeVar

import structlog
from fastapi import Depends, Request
from sqlalchemy import Dialect, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
)

from app.core.config import Settings
from app.db.engine import CONNECT_ERRORS, WRITING, create_engine, problem_of
from app.db.errors import DatabaseUnavailable, TransactionConflict
from app.db.pool import ping_idle_connections

Result = TypeVar("Result")

ATTEMPTS = 3

logger = structlog.stdlib.get_logger("app.database")


@dataclass(frozen=True)
class Database:
    """The engine and the two kinds of session on it."""

    engine: AsyncEngine
    read: async_sessionmaker[AsyncSession]
    """Sessions for what changes nothing: each statement stands for itself."""
    write: async_sessionmaker[AsyncSession]
    """Sessions with a transaction, which somebody has to commit."""

    @classmethod
    def create(cls, settings: Settings) -> Self:
        """Configure the engine; the first connection is made when one is needed."""
        engine = create_engine(
            settings.database_url.get_secret_value(),
            settings,
            hide_parameters=True,
            pool_size=settings.database_pool_size,
            max_overflow=settings.database_max_overflow,
            pool_timeout=settings.database_pool_timeout,
        )
        ping_idle_connections(engine, after=settings.database_ping_after)
        _translate_errors(engine)
        return cls(
            engine,
            read=async_sessionmaker(engine, expire_on_commit=False, autoflush=False),
            # A session used after its request, by a streamed answer for instance, raises
            # instead of taking a connection that nobody gives back.
            write=async_sessionmaker(
                engine.execution_options(**WRITING),
                expire_on_commit=False,
                close_resets_only=False,
            ),
        )

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self.engine.dispose()


def _translate_errors(engine: AsyncEngine) -> None:
    """Let an outage of the database reach the caller as one, and the log say why."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(
        dialect: Dialect, _record: object, arguments: tuple[object, ...], options: dict[str, object]
    ) -> DBAPIConnection:
        try:
            return dialect.connect(*arguments, **options)
        except CONNECT_ERRORS as error:
            logger.warning("no connection to the database", reason=str(error))
            raise DatabaseUnavailable from error

    @event.listens_for(engine.sync_engine, "handle_error")
    def translate(context: ExceptionContext) -> None:
        # SQLAlchemy gives up the connection of a cancelled statement, which is no outage.
        if not isinstance(context.original_exception, Exception):
            return
        if problem := problem_of(context):
            logger.warning(problem.type_, reason=str(context.original_exception))
            raise problem from context.original_exception


async def get_database(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(get_database)]


async def _write_session(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    async with database.write() as session:
        yield session
        await session.commit()


async def _read_session(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    async with database.read() as session:
        yield session


# With the scope "function" the commit comes before the answer is sent: one that fails is an error.
WriteSession = Annotated[AsyncSession, Depends(_write_session, scope="function")]
"""One transaction for a request: committed when its endpoint returns, rolled back if it raises."""
ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
"""A session for a request that changes nothing."""


async def commit_before_refusal(session: AsyncSession) -> None:
    """Keep what has to outlive the error that is about to be raised."""
    await session.commit()


async def in_transaction(
    database: Database, work: Callable[[AsyncSession], Awaitable[Result]]
) -> Result:
    """Do `work` in a transaction of its own and commit it; after a deadlock do it again.

    For work that locks rows in an order that others may cross. All of it may happen up to three
    times, so it must do nothing but use its session. What it returns is returned.

    Raises:
        TransactionConflict: the database gave up on the last attempt too.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return await _once(database, work)
        except TransactionConflict:
            # Two that came into each other's way should not meet again at the same moment.
            await asyncio.sleep(attempt * secrets.randbelow(50) / 1000)
    return await _once(database, work)


async def _once(database: Database, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    async with database.write() as session:
        result = await work(session)
        await session.commit()
        return result
