"""What is MySQL's alone: settings, column types, transactions, and what its errors mean."""

from uuid import UUID

from asyncmy.errors import MySQLError
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import TypeDecorator, Uuid
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.errors import DatabaseUnavailable, TransactionConflict

CONNECT_ERRORS = (MySQLError, OSError)
BACKEND = "mysql"
URL_FORM = "mysql+asyncmy://user@host/name"
TIME = DATETIME(fsp=6)
WRITING: dict[str, object] = {}
"""The options of a connection that writes: none, every connection has transactions."""

# https://mariadb.com/kb/en/mariadb-error-code-reference/
DEADLOCK = 1213
LOST = {1053, 1927}
BUSY = {1040, 1205, 1969, 3024}


class IDENTIFIER(TypeDecorator[UUID]):
    """A UUID as 32 hexadecimal digits: MySQL has no type of its own, unlike MariaDB."""

    impl = Uuid
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(native_uuid=False)


class EngineSettings(BaseSettings):
    """How long a statement may take."""

    model_config = SettingsConfigDict(env_prefix="APP_", extra="ignore")

    database_statement_timeout: float = Field(default=30, ge=0)
    database_lock_timeout: int = Field(default=10, ge=1)
    database_connect_timeout: int = Field(default=5, ge=1)


def create_engine(url: str, settings: EngineSettings, **options: object) -> AsyncEngine:
    """The engine. A session ends with COMMIT or ROLLBACK, so the pool sends no other."""
    statement = settings.database_statement_timeout
    session = (
        "SET SESSION sql_mode = 'TRADITIONAL', time_zone = '+00:00', "
        f"innodb_lock_wait_timeout = {settings.database_lock_timeout}"
        # Seconds for MariaDB, milliseconds for MySQL; each takes the other's for a comment.
        f" /*M! , max_statement_time = {statement} */"
        f" /*!80000 , max_execution_time = {statement * 1000:.0f} */"
    )
    return create_async_engine(
        url,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": settings.database_connect_timeout,
            "init_command": session,
        },
        isolation_level="READ COMMITTED",
        pool_reset_on_return=None,
        **options,
    )


def problem_of(context: ExceptionContext) -> type[DatabaseUnavailable] | None:
    """What a failed statement means to the caller; None if it is the service's own mistake."""
    code = next(iter(context.original_exception.args), None)
    if code in LOST:
        context.is_disconnect = True
    if code == DEADLOCK:
        return TransactionConflict
    return DatabaseUnavailable if context.is_disconnect or code in BUSY else None
