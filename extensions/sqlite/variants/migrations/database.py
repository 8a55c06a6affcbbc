"""What migrations need of SQLite alone."""

from typing import Any

from sqlalchemy import Connection, text

# A change of a column copies its table, because SQLite cannot alter one.
OPTIONS: dict[str, Any] = {
    "compare_server_default": True,
    "render_as_batch": True,
    "transactional_ddl": True,
}
"""Options of Alembic's context."""


def lock(connection: Connection) -> None:
    """Let whoever starts at the same time wait until this transaction ends."""
    connection.execute(text("PRAGMA busy_timeout = 600000"))
    connection.execute(text("BEGIN IMMEDIATE"))
