"""Answers that are kept in Redis for a while; the database has the last word.

What is kept is forgotten when a row changes that it was made of. While Redis is away, everything
comes from the database.
"""

import structlog
from fastapi import FastAPI

from app.cache.cache import Cache, CacheSettings
from app.cache.forgetting import ForgettingDatabase
from app.core.config import load_settings

logger = structlog.stdlib.get_logger("app.cache")


def install_cache(app: FastAPI) -> None:
    """Give the application a cache, which hears of every change that is committed."""
    settings = load_settings(CacheSettings)
    if not settings.url and app.state.settings.environment == "production":
        logger.warning("no APP_CACHE_URL: every answer comes from the database")
    app.state.cache = Cache(settings)
    app.state.database = ForgettingDatabase.of(app.state.database, app.state.cache)
