"""The outbox: a task is stored with its change, and sent after it, in order."""

from collections.abc import Sequence
from functools import partial
from unittest.mock import AsyncMock

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import utc_now
from app.db.session import Database
from app.outbox import relay
from app.outbox.lag import lag
from app.outbox.models import OutboxMessage
from app.outbox.outbox import Outbox, deliver
from app.outbox.relay import send_batch
from app.tasks.errors import TasksUnavailable
from app.tasks.failed import run
from app.users.models import User
from app.users.tasks import welcome
from tests.tasks.fixtures import HeldTasks, failed_tasks


async def store(session: AsyncSession, aggregate: str, email: str) -> None:
    user = User(email=email, password_hash="x")
    session.add(user)
    await session.flush()
    await welcome(Outbox(session, aggregate), user)


async def stored(database: Database) -> Sequence[str]:
    async with database.read() as session:
        return [message.aggregate for message in await session.scalars(OutboxMessage.oldest())]


def addresses(tasks: HeldTasks) -> list[object]:
    return [email for _, email in tasks.arguments()]


async def test_nothing_is_stored_without_the_change(database: Database) -> None:
    async with database.write() as session:
        await store(session, "ada", "ada@example.org")
        await session.rollback()
    assert await stored(database) == []


async def test_messages_of_an_aggregate_are_sent_in_order(
    tasks: HeldTasks, database: Database
) -> None:
    async with database.write.begin() as session:
        await store(session, "one", "1@example.org")
        await store(session, "one", "2@example.org")
        await store(session, "two", "3@example.org")
    assert await send_batch(database, partial(deliver, tasks)) == 2
    assert sorted(map(str, addresses(tasks))) == ["1@example.org", "3@example.org"]
    assert await send_batch(database, partial(deliver, tasks)) == 1
    assert addresses(tasks)[2:] == ["2@example.org"]
    assert await send_batch(database, partial(deliver, tasks)) == 0


async def test_messages_that_cannot_be_sent_do_not_hold_up_others(
    tasks: HeldTasks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse_bad_ones(message: str) -> None:
        if "bad@" in message:
            raise TasksUnavailable
        await deliver(tasks, message)

    monkeypatch.setattr(relay, "RETRY_DELAY", 0)
    monkeypatch.setattr(relay, "BATCH", 3)
    async with database.write.begin() as session:
        for number in range(3):
            await store(session, f"bad {number}", f"bad@{number}.example.org")
        await store(session, "good", "good@example.org")
    assert await send_batch(database, refuse_bad_ones) == 0
    assert await send_batch(database, refuse_bad_ones) == 1
    assert addresses(tasks) == ["good@example.org"]
    waiting, _, failing = await lag(database)
    assert (waiting, failing) == (3, 3)


async def test_delay_doubles_up_to_a_minute(
    tasks: HeldTasks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.write.begin() as session:
        await store(session, "one", "ada@example.org")
    tasks.is_away = True
    now = utc_now()
    monkeypatch.setattr(relay, "utc_now", lambda: now)
    monkeypatch.setattr("asyncio.sleep", AsyncMock())
    delays = list[float]()
    for _ in range(8):
        await send_batch(database, partial(deliver, tasks))
        async with database.read() as session:
            [message] = await session.scalars(OutboxMessage.oldest())
        assert message.retry_at
        delays.append((message.retry_at - now).total_seconds())
        now = message.retry_at
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_message_that_cannot_be_sent_becomes_a_failed_task(
    tasks: HeldTasks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From there it can be sent again; meanwhile the next one of its aggregate is sent."""
    monkeypatch.setattr(relay, "RETRY_DELAY", 0)
    monkeypatch.setattr(relay, "ATTEMPTS", 2)
    async with database.write.begin() as session:
        await store(session, "one", "1@example.org")
        await store(session, "one", "2@example.org")
    tasks.is_away = True
    for _ in range(2):
        assert await send_batch(database, partial(deliver, tasks)) == 0
    tasks.is_away = False
    [failed] = await failed_tasks(database)
    assert failed.name.endswith("send_welcome")
    assert failed.retry_at is None
    assert await send_batch(database, partial(deliver, tasks)) == 1
    assert addresses(tasks) == ["2@example.org"]
    assert await run(database, "resend", [failed.id], as_json=False) == "1 tasks will be sent again"


async def test_message_stays_until_the_broker_accepts_it(
    tasks: HeldTasks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "RETRY_DELAY", 0)
    async with database.write.begin() as session:
        await store(session, "one", "ada@example.org")
    tasks.is_away = True
    assert await send_batch(database, partial(deliver, tasks)) == 0
    assert await stored(database) == ["one"]
    tasks.is_away = False
    assert await send_batch(database, partial(deliver, tasks)) == 1
    assert await stored(database) == []


async def test_lag_is_the_number_of_messages_and_the_age_of_the_oldest(database: Database) -> None:
    assert await lag(database) == (0, 0, 0)
    async with database.write.begin() as session:
        await store(session, "one", "1@example.org")
        await store(session, "one", "2@example.org")
    waiting, seconds, failing = await lag(database)
    assert (waiting, failing) == (2, 0)
    assert 0 < seconds < 60
