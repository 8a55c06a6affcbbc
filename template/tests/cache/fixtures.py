"""A cache for tests, and an application that uses it."""

from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, SecretStr
from sqlalchemy import URL

from app.cache.cache import Cache
from app.cache.config import CacheSettings
from app.cache.entries import Row
from app.core.config import Settings
from app.main import create_app
from tests.conftest import settings_for
from tools.embedded_redis import redis_of_tests

MakeCache = Callable[..., Cache]
ROWS = [Row("things/1")]


class Thing(BaseModel):
    """A value to cache."""

    name: str


class Loader:
    """Loads a value and counts the calls."""

    def __init__(self, name: str = "first", seconds: float = 0) -> None:
        self.name = name
        self.seconds = seconds
        self.times = 0

    async def __call__(self) -> Thing:
        """Load the value."""
        self.times += 1
        name = self.name
        await sleep(self.seconds)
        return Thing(name=name)


@pytest.fixture(scope="session")
def cache_url() -> Iterator[str]:
    """The URL of a Redis server."""
    with redis_of_tests() as url:
        yield url


@pytest.fixture
def prefix() -> str:
    """The prefix of the keys of one test."""
    return f"test-{uuid4().hex}"


@pytest.fixture
async def make_cache(cache_url: str, prefix: str) -> AsyncIterator[MakeCache]:
    """Creates caches with the same contents, like those of several processes."""
    made: list[Cache] = []

    def make(url: str | None = cache_url, **settings: float) -> Cache:
        secret = SecretStr(url) if url else None
        made.append(Cache(CacheSettings(url=secret, prefix=prefix).model_copy(update=settings)))
        return made[-1]

    yield make
    for cache in made:
        await cache.close()


@pytest.fixture
def cached_settings(
    own_database: URL, cache_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The settings of an application with a cache, on a database of its own."""
    monkeypatch.setenv("APP_CACHE_URL", cache_url)
    monkeypatch.setenv("APP_CACHE_PREFIX", prefix)
    return settings_for(own_database)


@pytest.fixture
async def cached_app(cached_settings: Settings) -> AsyncIterator[FastAPI]:
    """An application with a cache."""
    app = create_app(cached_settings)
    async with app.router.lifespan_context(app):
        yield app
