"""What is kept, for whom, and until when."""

import asyncio

import pytest
from cashews import Cache as Store
from pydantic import BaseModel

from app.cache.cache import Cache, close, connect
from app.cache.entries import Entry, Row
from tests.cache.fixtures import ROWS, Loader, MakeCache, Thing


async def test_second_answer_is_the_kept_one(make_cache: MakeCache) -> None:
    load = Loader()
    for cache in (make_cache(), make_cache()):
        assert await cache.get_or_load(Thing, ROWS, load) == Thing(name="first")
    assert load.times == 1


async def test_other_rows_are_another_value(make_cache: MakeCache) -> None:
    cache = make_cache()
    await cache.get_or_load(Thing, ROWS, Loader("first"))
    other = await cache.get_or_load(Thing, [*ROWS, Row("owners/1")], Loader("second"))
    assert other == Thing(name="second")


async def test_of_many_who_ask_at_once_one_loads(make_cache: MakeCache) -> None:
    load = Loader(seconds=0.2)
    processes = [make_cache(), make_cache()]
    asked = (cache.get_or_load(Thing, ROWS, load) for cache in processes * 100)
    assert {thing.name for thing in await asyncio.gather(*asked)} == {"first"}
    assert load.times == 1


async def test_of_those_who_wait_in_a_process_one_asks(
    make_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether another process has loaded; a hundred who ask again and again are a load too."""
    asked: list[str] = []

    async def set_lock(store: Store, key: str, value: str, expire: float) -> bool:
        asked.append(key)
        return await original(store, key, value, expire)

    original = Store.set_lock
    monkeypatch.setattr(Store, "set_lock", set_lock)
    cache, load = make_cache(), Loader(seconds=0.3)
    await asyncio.gather(*(cache.get_or_load(Thing, ROWS, load) for _ in range(50)))
    assert len(asked) <= 50


async def test_turn_of_a_process_that_was_killed_ends(
    make_cache: MakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cache.cache.LONGEST_TURN", 0.2)
    killed = asyncio.create_task(
        make_cache().get_or_load(Thing, ROWS, Loader("killed", seconds=60))
    )
    await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        assert await make_cache().get_or_load(Thing, ROWS, Loader()) == Thing(name="first")
    killed.cancel()
    await asyncio.wait([killed])


async def test_value_of_a_changed_row_is_loaded_again(make_cache: MakeCache) -> None:
    here, elsewhere = make_cache(), make_cache()
    rows = [*ROWS, Row("owners/1")]
    for name, changed in (("first", "things/1"), ("second", "owners/1"), ("third", "things/1")):
        assert (await here.get_or_load(Thing, rows, Loader(name))).name == name
        await elsewhere.forget([Row(changed)])


async def test_value_that_was_loaded_before_a_change_is_not_given_after_it(
    make_cache: MakeCache,
) -> None:
    cache = make_cache()
    slow = asyncio.create_task(cache.get_or_load(Thing, ROWS, Loader("old", seconds=0.3)))
    await asyncio.sleep(0.1)
    await cache.forget(ROWS)
    assert await slow == Thing(name="old")
    assert await cache.get_or_load(Thing, ROWS, Loader("new")) == Thing(name="new")


async def test_value_that_took_too_long_to_load_is_not_kept(make_cache: MakeCache) -> None:
    """Nobody would know any more that it has changed since."""
    cache = make_cache(keep=0.1)
    slow = asyncio.create_task(cache.get_or_load(Thing, ROWS, Loader("old", seconds=0.4)))
    await asyncio.sleep(0.05)
    await cache.forget(ROWS)
    assert await slow == Thing(name="old")
    assert await cache.get_or_load(Thing, ROWS, Loader("new")) == Thing(name="new")


async def test_value_is_kept_for_a_while(make_cache: MakeCache) -> None:
    cache = make_cache(keep=0.2)
    await cache.get_or_load(Thing, ROWS, Loader("first"))
    await asyncio.sleep(0.3)
    assert await cache.get_or_load(Thing, ROWS, Loader("second")) == Thing(name="second")


def newer_thing() -> type[BaseModel]:
    """What a later release calls a thing."""

    class Thing(BaseModel):
        name: str
        size: int = 1

    return Thing


async def test_releases_with_other_fields_keep_their_own(make_cache: MakeCache) -> None:
    cache = make_cache()
    newer = newer_thing()

    async def load() -> BaseModel:
        return newer.model_validate({"name": "newer"})

    assert await cache.get_or_load(Thing, ROWS, Loader("older")) == Thing(name="older")
    assert await cache.get_or_load(newer, ROWS, load) == await load()
    assert await cache.get_or_load(Thing, ROWS, Loader("second")) == Thing(name="older")
    await cache.forget(ROWS)
    assert await cache.get_or_load(Thing, ROWS, Loader("third")) == Thing(name="third")


async def test_long_value_is_not_kept(make_cache: MakeCache) -> None:
    load = Loader("x" * 1000)
    cache = make_cache(max_bytes=1000)
    for _ in range(2):
        await cache.get_or_load(Thing, ROWS, load)
    assert load.times == 2


async def test_failure_is_not_kept(make_cache: MakeCache) -> None:
    async def fail() -> Thing:
        raise LookupError

    cache = make_cache()
    with pytest.raises(LookupError):
        await cache.get_or_load(Thing, ROWS, fail)
    assert await cache.get_or_load(Thing, ROWS, Loader()) == Thing(name="first")


async def test_what_others_wrote_there_is_not_taken(
    make_cache: MakeCache, cache_url: str, prefix: str
) -> None:
    cache = make_cache()
    await cache.get_or_load(Thing, ROWS, Loader())
    store = connect(cache_url, timeout=1)
    for text in (b"1", b"-\n{}", b"- - -", b"\x80\x04."):
        await store.set(Entry(prefix, Thing, ROWS).key, text)
        assert await cache.get_or_load(Thing, ROWS, Loader("second")) == Thing(name="second")
    await close(store)


async def test_without_url_everything_is_loaded(make_cache: MakeCache) -> None:
    load = Loader()
    cache: Cache = make_cache(url=None)
    for _ in range(2):
        await cache.get_or_load(Thing, ROWS, load)
    await cache.forget(ROWS)
    assert load.times == 2
