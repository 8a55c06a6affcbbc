"""A read-through cache in Redis."""

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
from fastapi import Depends
from fastapi.requests import HTTPConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection

from app.cache.config import CacheSettings
from app.cache.entries import Entry, Row, Value
from app.cache.outage import Outage

LOCK_EXPIRES = 2
"""Seconds after which a lock ends whose process may have been killed."""
POLL_INTERVAL = 0.01
"""Seconds between two attempts to take a lock that another process holds."""
BATCH = 100
"""The number of rows that one command invalidates."""


class Cache:
    """Caches what was read from the database, shared by all processes of the service.

    Without a URL, and while Redis is not available, every value is loaded.
    """

    def __init__(self, settings: CacheSettings) -> None:
        self._settings = settings
        self._outage = Outage(settings.pause)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._pending: dict[str, float] = {}
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
        """The cached value of this kind that contains these rows; loads and caches it if missing.

        Of concurrent callers, in all processes, one loads. Exceptions of `load` are passed on.
        """
        entry = await self._look(Entry(self._settings.prefix, kind, rows))
        if entry is None:
            return await load()
        if entry.value:
            return entry.value
        async with self._lock(entry.key):
            if entry := await self._look(entry):
                return entry.value or await self._load(entry, load)
        return await load()

    async def invalidate(self, rows: Iterable[Row]) -> None:
        """Invalidate all values that contain these rows.

        While Redis is not available, the rows are remembered until it is, or until every value of
        that time has expired.
        """
        if not self._store:
            return
        now = monotonic()
        for name in rows:
            key = f"{self._settings.prefix}:{name}"
            self._pending.pop(key, None)
            self._pending[key] = now
        while self._pending and next(iter(self._pending.values())) < now - self._settings.keep:
            self._pending.pop(next(iter(self._pending)))
        if self._outage.may_ask():
            with self._outage.noticed():
                await self._send_pending(self._store)

    async def _look(self, entry: Entry[Value]) -> Entry[Value] | None:
        """The entry as it is cached now; None while Redis is not available."""
        if self._store and self._outage.may_ask():
            with self._outage.noticed():
                await self._send_pending(self._store)
                return entry.found(*await self._store.get_many(entry.key, *entry.rows))
        return None

    async def _send_pending(self, store: Store) -> None:
        """Give new versions to the rows that were invalidated."""
        while self._pending:
            batch = dict([*self._pending.items()][:BATCH])
            versions = {key: f"v{token_hex(8)}".encode() for key in batch}
            # Twice the lifetime: a value that is being loaded now may be stored until then.
            await store.set_many(versions, expire=2 * self._settings.keep)
            for key, since in batch.items():
                if self._pending.get(key) == since:
                    del self._pending[key]

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
    async def _lock(self, key: str) -> AsyncGenerator[None]:
        """Let one caller at a time load this value, here and in other processes."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            token = await self._acquire(f"{key}:lock")
            try:
                yield
            finally:
                if token and self._store:
                    with self._outage.noticed():
                        await self._store.unlock(f"{key}:lock", token)

    async def _acquire(self, key: str) -> str | None:
        token = token_hex(8)
        while self._store and self._outage.may_ask():
            with self._outage.noticed():
                if await self._store.set_lock(key, token, expire=LOCK_EXPIRES):
                    return token
            await asyncio.sleep(POLL_INTERVAL)
        return None


def connect(url: str, timeout: float) -> Store:
    """Configure the client; connections are opened on demand."""
    # cashews does not register the scheme of Unix sockets itself.
    register_backend("unix", Redis, pass_uri=True)
    store = Store()
    store.setup(
        url,
        # Values are JSON, as bytes: unpickling data of another writer could run its code.
        pickle_type="null",
        suppress=False,
        max_connections=20,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        wait_for_connection_timeout=timeout,
        # After a restart of Redis, pooled connections fail when they are used first.
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[NoConnection],
        health_check_interval=0,
    )
    return store


async def close(store: Store) -> None:
    """Close the connections."""
    # cashews calls a method that redis-py has deprecated.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        await store.close()


async def get_cache(connection: HTTPConnection) -> Cache:
    """The application's cache."""
    cache: Cache = connection.app.state.cache
    return cache


CacheDep = Annotated[Cache, Depends(get_cache)]
