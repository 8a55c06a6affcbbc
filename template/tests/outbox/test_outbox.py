"""The outbox: what is committed is sent, in order, whatever is away meanwhile."""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from time import monotonic
from uuid import uuid4

import pytest
from sqlalchemy import URL

from app.db.session import Database
from app.outbox import relay as relays
from app.outbox.lag import lag
from app.outbox.models import OutboxMessage
from app.outbox.outbox import Outbox
from app.outbox.relay import relay, send_batch
from app.outbox.wakeup import EVERY, listening
from app.tasks.process import background
from app.users.models import User
from tests.tasks.fixtures import HeldTasks
from tests.tasks.processes import are_left, comes_true, started
from tests.tasks.slow import mark_by


async def store(database: Database, about: str, *keys: str) -> None:
    async with database.write.begin() as session:
        for key in keys:
            await mark_by(Outbox(session, about))(key, 0)


async def stored(database: Database) -> list[str]:
    async with database.read() as session:
        return [message.aggregate for message in await session.scalars(OutboxMessage.oldest())]


def keys_of(tasks: HeldTasks) -> list[str]:
    return [str(key) for key, _ in tasks.arguments()]


async def test_nothing_is_stored_without_its_change(effects: Database) -> None:
    async with effects.write() as session:
        session.add(User(email="ada@example.org", password_hash="x"))
        await mark_by(Outbox(session, "ada"))("never", 0)
        await session.rollback()
    assert await stored(effects) == []


async def test_messages_about_one_thing_are_sent_one_after_the_other(
    tasks: HeldTasks, database: Database
) -> None:
    await store(database, "one", "1", "2")
    await store(database, "two", "3")
    assert await send_batch(database, tasks.deliver_text) == 2
    assert sorted(keys_of(tasks)) == ["1", "3"]
    assert await send_batch(database, tasks.deliver_text) == 1
    assert keys_of(tasks)[2:] == ["2"]
    assert await send_batch(database, tasks.deliver_text) == 0


async def test_what_cannot_be_sent_stays(
    tasks: HeldTasks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "PAUSE", 0)
    await store(database, "one", "1")
    tasks.is_away = True
    assert await send_batch(database, tasks.deliver_text) == 0
    assert await stored(database) == ["one"]
    tasks.is_away = False
    assert await send_batch(database, tasks.deliver_text) == 1


async def test_message_of_another_library_stays(
    tasks: HeldTasks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "PAUSE", 0)
    async with database.write.begin() as session:
        session.add(OutboxMessage(aggregate="one", message='{"of": "another"}'))
    assert await send_batch(database, tasks.deliver_text) == 0
    assert await stored(database) == ["one"]


async def test_several_relays_keep_the_order(tasks: HeldTasks, effects: Database) -> None:
    things = [uuid4().hex for _ in range(5)]
    for number in range(8):
        for thing in things:
            await store(effects, thing, f"{thing} {number}")

    async def all_are_sent() -> bool:
        return not await stored(effects)

    async with AsyncExitStack() as stack:
        for _ in range(3):
            untold = relay(effects, tasks.deliver_text, asyncio.Event())
            await stack.enter_async_context(background(untold))
        assert await comes_true(all_are_sent)
    order: defaultdict[str, list[int]] = defaultdict(list)
    for key in keys_of(tasks):
        about, position = key.split()
        order[about].append(int(position))
    assert order == {thing: [*range(8)] for thing in things}


async def test_relay_is_told(
    tasks: HeldTasks, effects: Database, own_database: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database can tell, the relay need not wait for its next look."""
    monkeypatch.setattr(relays, "EVERY", EVERY * 30)
    url = own_database.render_as_string(hide_password=False)

    async def is_sent() -> bool:
        return bool(tasks.held)

    async with listening(url) as event, background(relay(effects, tasks.deliver_text, event)):
        await asyncio.sleep(1)
        await store(effects, "one", "1")
        before = monotonic()
        assert await comes_true(is_sent)
        assert monotonic() - before < 10


async def test_lag_says_how_many_wait_and_how_long(database: Database) -> None:
    assert await lag(database) == (0, 0)
    await store(database, "one", "1", "2")
    waiting, seconds = await lag(database)
    assert waiting == 2
    assert 0 < seconds < 60


async def test_relay_and_worker_do_what_is_stored(
    task_environment: dict[str, str], effects: Database
) -> None:
    async with (
        started("app.outbox.relay", task_environment),
        started("tests.tasks.slow", task_environment),
    ):
        await store(effects, "one", "stored")
        assert await are_left(effects, "stored")
