"""What is PostgreSQL's alone: settings, column types, transactions, and what its errors mean."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import DateTime, Uuid
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.driver import CONNECT_ERRORS, driver_options
from app.db.errors import DatabaseUnavailable, TransactionConflict

__all__ = [
    "BACKEND",
    "CONNECT_ERRORS",
    "IDENTIFIER",
    "TIME",
    "URL_FORM",
    "WRITING",
    "EngineSettings",
    "create_engine",
    "problem_of",
]

BACKEND = "postgresql"
URL_FORM = "postgresql+DRIVER://user@host/name"
IDENTIFIER = Uuid
TIME = DateTime(timezone=True)
WRITING = {"isolation_level": "READ COMMITTED"}
"""The options of a connection that writes; without them each statement commits itself."""

# Classes and codes of errors: https://www.postgresql.org/docs/current/errcodes-appendix.html
CONFLICT = ("40001", "40P01")
UNAVAILABLE = ("08", "53", "55P03", "57")
# What the drivers say after a migration changed the type of a column.
STALE_PLAN = ("cached plan must not change result type", "cached statement plan is invalid")


class EngineSettings(BaseSettings):
    """How long a statement may take, and what is between the service and the server."""

    model_config = SettingsConfigDict(env_prefix="APP_", extra="ignore")

    database_statement_timeout: float = Field(default=30, ge=0)
    database_lock_timeout: float = Field(default=10, ge=0)
    database_connect_timeout: int = Field(default=5, ge=2)
    database_pooler: bool = False


def create_engine(url: str, settings: EngineSettings, **options: object) -> AsyncEngine:
    """The engine; in autocommit a read is one round trip, without BEGIN and ROLLBACK."""
    timeouts = {
        "statement_timeout": f"{settings.database_statement_timeout * 1000:.0f}",
        "lock_timeout": f"{settings.database_lock_timeout * 1000:.0f}",
    }
    driver = driver_options(
        settings.database_connect_timeout, timeouts, pooler=settings.database_pooler
    )
    autocommit = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return create_async_engine(url, **{**autocommit, **driver, **options})


def problem_of(context: ExceptionContext) -> type[DatabaseUnavailable] | None:
    """What a failed statement means to the caller; None if it is the service's own mistake."""
    code = str(getattr(context.original_exception, "sqlstate", None))
    # On this connection the statement may fail for ever; a new one knows nothing of the old plan.
    if any(sentence in str(context.original_exception) for sentence in STALE_PLAN):
        context.is_disconnect = True
    if code in CONFLICT:
        return TransactionConflict
    return DatabaseUnavailable if context.is_disconnect or code.startswith(UNAVAILABLE) else None
