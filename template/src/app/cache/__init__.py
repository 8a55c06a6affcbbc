"""Responses cached in Redis, invalidated when a row that they contain changes.

While Redis is not available, everything is read from the database.
"""

import structlog
from fastapi import FastAPI

from app.cache.cache import Cache
from app.cache.config import CacheSettings
from app.cache.invalidation import InvalidatingDatabase
from app.core.config import load_settings

logger = structlog.stdlib.get_logger("app.cache")


def install_cache(app: FastAPI) -> None:
    """Give the application a cache that its write sessions invalidate."""
    settings = load_settings(CacheSettings)
    if not settings.url and app.state.settings.environment == "production":
        logger.warning("no APP_CACHE_URL: nothing is cached")
    app.state.cache = Cache(settings)
    app.state.database = InvalidatingDatabase.of(app.state.database, app.state.cache)
