"""What a process of its own opens for its tasks."""

from app.core.config import get_settings
from app.db.session import Database


def open_database() -> Database:
    """The database that the settings name."""
    return Database.create(get_settings())
