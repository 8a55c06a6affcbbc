"""The cache of the service, in Redis."""

import asyncio
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from time import monotonic
from typing import Annotated
from weakref import WeakValueDictionary

from cashews import Cache as Store
from cashews import register_backend
from cashews.backends.redis import Redis
from fastapi import Depends, Request
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection

from app.cache.entries import Entry, Row, Value
from app.cache.outage import Outage

LONGEST_TURN = 2
"""Seconds after which others load too: who had the turn may have been killed."""
LOOK_EVERY = 0.01
"""Seconds between two looks whether another process has loaded."""
BATCH = 100


class CacheSettings(BaseSettings):
    """Where and how long values are kept, by `APP_CACHE_…`. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="APP_CACHE_", env_ignore_empty=True, extra="ignore"
    )

    url: SecretStr | None = None
    prefix: str = Field(default="cache", pattern=r"^[\w-]+$")
    """What every key begins with; services that share a Redis have one each."""
    keep: float = Field(default=60, gt=0)
    """How long a value is kept, and at most how old one is when nobody could say it had changed."""
    max_bytes: int = Field(default=65_536, ge=0)
    """The longest value that is kept, as JSON."""
    timeout: float = Field(default=0.5, gt=0)
    """How long an answer from Redis may take."""
    pause: float = Field(default=5, gt=0)
    """How long Redis is left alone after it gave no answer."""


class Cache:
    """Keeps what was read from the database, for every process of the service.

    Without a URL, and while Redis does not answer, everything is loaded.
    """

    def __init__(self, settings: CacheSettings) -> None:
        self._settings = settings
        self._outage = Outage(settings.pause)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._untold: dict[str, float] = {}
        self._store: Store | None = None
        if settings.url:
            self._store = connect(settings.url.get_secret_value(), settings.timeout)

    async def close(self) -> None:
        """Close the connections."""
        if self._store:
            await close(self._store)

    async def get_or_load(
        self, kind: type[Value], rows: Sequence[Row], load: Callable[[], Awaitable[Value]]
    ) -> Value:
        """The value of this kind that is made of these rows: kept, or else loaded and then kept.

        Of all who ask at once, in all processes, one loads. What `load` raises is raised.
        """
        entry = await self._look(Entry(self._settings.prefix, kind, rows))
        if entry is None:
            return await load()
        if entry.value:
            return entry.value
        async with self._turn(entry.key):
            if entry := await self._look(entry):
                return entry.value or await self._load(entry, load)
        return await load()

    async def forget(self, rows: Iterable[Row]) -> None:
        """Give nobody a value any more that was made of these rows.

        While Redis is away this is remembered until it answers, or until what it has is too old.
        """
        if not self._store:
            return
        now = monotonic()
        for name in rows:
            key = f"{self._settings.prefix}:{name}"
            self._untold.pop(key, None)
            self._untold[key] = now
        while self._untold and next(iter(self._untold.values())) < now - self._settings.keep:
            self._untold.pop(next(iter(self._untold)))
        if self._outage.may_ask():
            with self._outage.noticed():
                await self._tell(self._store)

    async def _look(self, entry: Entry[Value]) -> Entry[Value] | None:
        """What is kept now; nothing while Redis is away."""
        if self._store and self._outage.may_ask():
            with self._outage.noticed():
                await self._tell(self._store)
                return entry.found(*await self._store.get_many(entry.key, *entry.rows))
        return None

    async def _tell(self, store: Store) -> None:
        """Give new versions to the rows that changed."""
        while self._untold:
            batch = dict([*self._untold.items()][:BATCH])
            versions = {key: f"v{token_hex(8)}".encode() for key in batch}
            # Longer than anything can be kept that somebody may be loading right now.
            await store.set_many(versions, expire=2 * self._settings.keep)
            for key, since in batch.items():
                if self._untold.get(key) == since:
                    del self._untold[key]

    async def _load(self, entry: Entry[Value], load: Callable[[], Awaitable[Value]]) -> Value:
        started = monotonic()
        value = await load()
        stored = entry.stored(value)
        in_time = monotonic() - started < self._settings.keep
        if self._store and in_time and len(stored) <= self._settings.max_bytes:
            with self._outage.noticed():
                await self._store.set(entry.key, stored, expire=self._settings.keep)
        return value

    @asynccontextmanager
    async def _turn(self, key: str) -> AsyncGenerator[None]:
        """Hold off who else wants to load the same, here and in other processes."""
        async with self._turns.setdefault(key, asyncio.Lock()):
            token = await self._wait_for_others(f"{key}:turn")
            try:
                yield
            finally:
                if token and self._store:
                    with self._outage.noticed():
                        await self._store.unlock(f"{key}:turn", token)

    async def _wait_for_others(self, key: str) -> str | None:
        token = token_hex(8)
        while self._store and self._outage.may_ask():
            with self._outage.noticed():
                if await self._store.set_lock(key, token, expire=LONGEST_TURN):
                    return token
            await asyncio.sleep(LOOK_EVERY)
        return None


def connect(url: str, timeout: float) -> Store:
    """Configure the connections; each is made when it is needed."""
    # Of the schemes that Redis' client knows, the library knows all but the local socket's.
    register_backend("unix", Redis, pass_uri=True)
    store = Store()
    store.setup(
        url,
        # JSON, as bytes: unlike a pickle, it runs no code when somebody else has written it.
        pickle_type="null",
        suppress=False,
        max_connections=20,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        wait_for_connection_timeout=timeout,
        # That Redis was started again shows when a connection from before is used.
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[NoConnection],
        health_check_interval=0,
    )
    return store


async def close(store: Store) -> None:
    """Close the connections."""
    # The library does so by a method of the client that has another name now.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        await store.close()


async def get_cache(request: Request) -> Cache:
    """The application's cache."""
    cache: Cache = request.app.state.cache
    return cache


CacheDep = Annotated[Cache, Depends(get_cache)]
