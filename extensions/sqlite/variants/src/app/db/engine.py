"""What is SQLite's alone: settings, column types, transactions, and what its errors mean."""

import sqlite3

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Connection, DateTime, Uuid, event
from sqlalchemy.engine import AdaptedConnection, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.errors import DatabaseUnavailable

CONNECT_ERRORS = (sqlite3.Error, OSError)
BACKEND = "sqlite"
URL_FORM = "sqlite+aiosqlite:///file"
IDENTIFIER = Uuid
TIME = DateTime()
WRITING = {"writing": True}
"""The options of a connection that writes; without them each statement commits itself."""

PRAGMAS = ("foreign_keys = on", "journal_mode = wal", "synchronous = normal")
# https://www.sqlite.org/rescode.html
UNAVAILABLE = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_LOCKED")


class EngineSettings(BaseSettings):
    """How long a transaction waits for another one to end."""

    model_config = SettingsConfigDict(env_prefix="APP_", extra="ignore")

    database_lock_timeout: float = Field(default=10, ge=0)


def create_engine(url: str, settings: EngineSettings, **options: object) -> AsyncEngine:
    """The engine; in autocommit a read is one statement, and never waits for a writer."""
    engine = create_async_engine(
        url,
        connect_args={"timeout": settings.database_lock_timeout},
        isolation_level="AUTOCOMMIT",
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # One that first reads and then wants to write would find that somebody else wrote.
        if WRITING.items() <= connection.get_execution_options().items():
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine.sync_engine, "reset")
    def leave_transaction(connection: AdaptedConnection, *_: object) -> None:
        # A commit that fails leaves its transaction open, which SQLAlchemy takes to be over.
        if connection.driver_connection.in_transaction:
            connection.run_async(lambda driver: driver.rollback())

    return engine


def problem_of(context: ExceptionContext) -> type[DatabaseUnavailable] | None:
    """What a failed statement means to the caller; None if it is the service's own mistake."""
    name = str(getattr(context.original_exception, "sqlite_errorname", None))
    return DatabaseUnavailable if name.startswith(UNAVAILABLE) else None
