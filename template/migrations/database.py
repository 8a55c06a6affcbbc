"""What migrations need of PostgreSQL alone."""

from typing import Any

from sqlalchemy import Connection, text

# Any number will do, if nothing else in this database locks it.
MIGRATION_LOCK = 7_012_026

OPTIONS: dict[str, Any] = {"compare_server_default": True}
"""Options of Alembic's context."""


def lock(connection: Connection) -> None:
    """Let whoever starts at the same time wait until this transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
