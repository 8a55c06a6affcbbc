"""What a process of its own opens for its tasks."""

from app.cache.cache import Cache, CacheSettings
from app.cache.forgetting import ForgettingDatabase
from app.core.config import get_settings, load_settings
from app.db.session import Database


def open_database() -> Database:
    """The database that the settings name; the cache hears of what tasks change in it."""
    cache = Cache(load_settings(CacheSettings))
    return ForgettingDatabase.of(Database.create(get_settings()), cache)
