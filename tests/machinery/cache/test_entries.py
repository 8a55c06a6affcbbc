"""Locks, races with changes, and entries that are not used."""

# Depends on: src/app/cache/ tests/cache/fixtures.py

import asyncio
import tomllib

import pytest
from cashews import Cache as Store
from pydantic import BaseModel

from app.cache.cache import close, connect
from app.cache.config import CacheSettings
from app.cache.entries import Entry
from tests.cache.fixtures import ROWS, Loader, MakeCache, Thing
from tests.conftest import PROJECT


def test_keys_begin_with_the_name_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert CacheSettings().prefix == f"{project['name']}-cache"


async def test_in_each_process_one_caller_polls_the_lock(
    make_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[str] = []

    async def set_lock(store: Store, key: str, value: str, expire: float) -> bool:
        attempts.append(key)
        return await original(store, key, value, expire)

    original = Store.set_lock
    monkeypatch.setattr(Store, "set_lock", set_lock)
    cache, load = make_cache(), Loader(seconds=0.3)
    await asyncio.gather(*(cache.get_or_load(Thing, ROWS, load) for _ in range(50)))
    assert len(attempts) <= 50


async def test_lock_of_a_killed_process_expires(
    make_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cache.cache.LOCK_EXPIRES", 0.2)
    killed = asyncio.create_task(
        make_cache().get_or_load(Thing, ROWS, Loader("killed", seconds=60))
    )
    await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        assert await make_cache().get_or_load(Thing, ROWS, Loader()) == Thing(name="first")
    killed.cancel()
    await asyncio.wait([killed])


async def test_value_that_was_loaded_before_a_change_is_not_returned_after_it(
    make_cache: MakeCache,
) -> None:
    cache = make_cache()
    slow = asyncio.create_task(cache.get_or_load(Thing, ROWS, Loader("old", seconds=0.3)))
    await asyncio.sleep(0.1)
    await cache.invalidate(ROWS)
    assert await slow == Thing(name="old")
    assert await cache.get_or_load(Thing, ROWS, Loader("new")) == Thing(name="new")


async def test_value_that_took_too_long_to_load_is_not_cached(make_cache: MakeCache) -> None:
    """The versions of its rows may have expired in the meantime."""
    cache = make_cache(keep=0.1)
    slow = asyncio.create_task(cache.get_or_load(Thing, ROWS, Loader("old", seconds=0.4)))
    await asyncio.sleep(0.05)
    await cache.invalidate(ROWS)
    assert await slow == Thing(name="old")
    assert await cache.get_or_load(Thing, ROWS, Loader("new")) == Thing(name="new")


def newer_thing() -> type[BaseModel]:
    """The same schema in a later release."""

    class Thing(BaseModel):
        name: str
        size: int = 1

    return Thing


async def test_releases_with_other_fields_use_other_keys(make_cache: MakeCache) -> None:
    cache = make_cache()
    newer = newer_thing()

    async def load() -> BaseModel:
        return newer.model_validate({"name": "newer"})

    assert await cache.get_or_load(Thing, ROWS, Loader("older")) == Thing(name="older")
    assert await cache.get_or_load(newer, ROWS, load) == await load()
    assert await cache.get_or_load(Thing, ROWS, Loader("second")) == Thing(name="older")
    await cache.invalidate(ROWS)
    assert await cache.get_or_load(Thing, ROWS, Loader("third")) == Thing(name="third")


async def test_large_value_is_not_cached(make_cache: MakeCache) -> None:
    load = Loader("x" * 1000)
    cache = make_cache(max_bytes=1000)
    for _ in range(2):
        await cache.get_or_load(Thing, ROWS, load)
    assert load.times == 2


async def test_invalid_entry_is_ignored(make_cache: MakeCache, cache_url: str, prefix: str) -> None:
    cache = make_cache()
    await cache.get_or_load(Thing, ROWS, Loader())
    store = connect(cache_url, timeout=1)
    for text in (b"1", b"-\n{}", b"- - -", b"\x80\x04."):
        await store.set(Entry(prefix, Thing, ROWS).key, text)
        assert await cache.get_or_load(Thing, ROWS, Loader("second")) == Thing(name="second")
    await close(store)
