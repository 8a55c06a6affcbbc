"""The outbox: a task is stored with its change, and sent after it, in order."""

from collections.abc import Sequence
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database
from app.outbox import relay
from app.outbox.lag import lag
from app.outbox.models import OutboxMessage
from app.outbox.outbox import Outbox, deliver
from app.outbox.relay import send_batch
from app.users.models import User
from app.users.tasks import welcome
from tests.tasks.fixtures import HeldTasks


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
    assert await lag(database) == (0, 0)
    async with database.write.begin() as session:
        await store(session, "one", "1@example.org")
        await store(session, "one", "2@example.org")
    waiting, seconds = await lag(database)
    assert waiting == 2
    assert 0 < seconds < 60
