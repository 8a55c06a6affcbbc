"""What migrations need of MySQL alone."""

from typing import Any

from sqlalchemy import Connection, text

# Seconds to wait for whoever migrates this database at the moment.
PATIENCE = 600

# MariaDB spells defaults otherwise than MySQL, so they are not compared.
OPTIONS: dict[str, Any] = {}
"""Options of Alembic's context."""


def lock(connection: Connection) -> None:
    """Let whoever starts at the same time wait until this connection is closed."""
    found = connection.scalar(text("SELECT @@character_set_database"))
    if found != "utf8mb4":
        sentence = f"Its character set is {found}: ALTER DATABASE … CHARACTER SET utf8mb4"
        raise SystemExit(sentence)
    name = "SELECT GET_LOCK(CONCAT('migrations of ', SHA1(DATABASE())), :seconds)"
    if connection.scalar(text(name), {"seconds": PATIENCE}) != 1:
        sentence = "Somebody else has been migrating this database for ten minutes."
        raise SystemExit(sentence)
