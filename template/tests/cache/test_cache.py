"""The cache: what it keeps, and until when."""

import asyncio

import pytest

from app.cache.entries import Row
from tests.cache.fixtures import ROWS, Loader, MakeCache, Thing


async def test_second_request_gets_the_cached_value(make_cache: MakeCache) -> None:
    load = Loader()
    for cache in (make_cache(), make_cache()):
        assert await cache.get_or_load(Thing, ROWS, load) == Thing(name="first")
    assert load.times == 1


async def test_other_rows_are_another_value(make_cache: MakeCache) -> None:
    cache = make_cache()
    await cache.get_or_load(Thing, ROWS, Loader("first"))
    other = await cache.get_or_load(Thing, [*ROWS, Row("owners/1")], Loader("second"))
    assert other == Thing(name="second")


async def test_of_concurrent_requests_one_loads(make_cache: MakeCache) -> None:
    load = Loader(seconds=0.2)
    # A busy machine may exceed the timeout, and then each request loads.
    processes = [make_cache(timeout=10), make_cache(timeout=10)]
    requests = (cache.get_or_load(Thing, ROWS, load) for cache in processes * 100)
    assert {thing.name for thing in await asyncio.gather(*requests)} == {"first"}
    assert load.times == 1


async def test_value_of_a_changed_row_is_loaded_again(make_cache: MakeCache) -> None:
    here, elsewhere = make_cache(), make_cache()
    rows = [*ROWS, Row("owners/1")]
    for name, changed in (("first", "things/1"), ("second", "owners/1"), ("third", "things/1")):
        assert (await here.get_or_load(Thing, rows, Loader(name))).name == name
        await elsewhere.invalidate([Row(changed)])


async def test_value_expires(make_cache: MakeCache) -> None:
    cache = make_cache(keep=0.2)
    await cache.get_or_load(Thing, ROWS, Loader("first"))
    await asyncio.sleep(0.3)
    assert await cache.get_or_load(Thing, ROWS, Loader("second")) == Thing(name="second")


async def test_failure_is_not_cached(make_cache: MakeCache) -> None:
    async def fail() -> Thing:
        raise LookupError

    cache = make_cache()
    with pytest.raises(LookupError):
        await cache.get_or_load(Thing, ROWS, fail)
    assert await cache.get_or_load(Thing, ROWS, Loader()) == Thing(name="first")


async def test_without_url_every_value_is_loaded(make_cache: MakeCache) -> None:
    load = Loader()
    cache = make_cache(url=None)
    for _ in range(2):
        await cache.get_or_load(Thing, ROWS, load)
    await cache.invalidate(ROWS)
    assert load.times == 2
