"""A cache for tests, what is kept in it, and a service that uses it."""

from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, SecretStr
from sqlalchemy import URL

from app.cache.cache import Cache, CacheSettings
from app.cache.entries import Row
from app.core.config import Settings
from app.main import create_app
from tests.conftest import client_of, settings_for
from tools.embedded_redis import redis_of_tests

MakeCache = Callable[..., Cache]
ROWS = [Row("things/1")]


class Thing(BaseModel):
    """What is kept."""

    name: str


class Loader:
    """Loads a thing, and counts."""

    def __init__(self, name: str = "first", seconds: float = 0) -> None:
        self.name = name
        self.seconds = seconds
        self.times = 0

    async def __call__(self) -> Thing:
        """Load it."""
        self.times += 1
        name = self.name
        await sleep(self.seconds)
        return Thing(name=name)


@pytest.fixture(scope="session")
def cache_url() -> Iterator[str]:
    """Where a Redis is."""
    with redis_of_tests() as url:
        yield url


@pytest.fixture
def prefix() -> str:
    """What the keys of one test begin with."""
    return f"test-{uuid4().hex}"


@pytest.fixture
async def make_cache(cache_url: str, prefix: str) -> AsyncIterator[MakeCache]:
    """Makes caches that share what they keep, as those of several processes do."""
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
    """Settings of a service with a cache, on a database of its own."""
    monkeypatch.setenv("APP_CACHE_URL", cache_url)
    monkeypatch.setenv("APP_CACHE_PREFIX", prefix)
    return settings_for(own_database)


@pytest.fixture
async def cached_app(cached_settings: Settings) -> AsyncIterator[FastAPI]:
    """An application with a cache."""
    app = create_app(cached_settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def cached_client(cached_app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of it."""
    async with client_of(cached_app) as client:
        yield client
