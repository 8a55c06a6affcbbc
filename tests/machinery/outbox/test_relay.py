"""The relay: several at once, woken by the database, and with a worker on a real broker."""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from functools import partial
from time import monotonic
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest
from rfc9457 import NotFoundProblem
from sqlalchemy import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.config import Settings
from app.db.errors import DatabaseUnavailable, TransactionConflict
from app.db.session import Database, in_transaction
from app.outbox import relay as relays
from app.outbox.lag import lag
from app.outbox.models import OutboxMessage
from app.outbox.outbox import Outbox, deliver
from app.outbox.relay import relay, send_batch
from app.outbox.wakeup import POLL_INTERVAL, listening
from app.tasks.errors import TasksUnavailable
from app.tasks.failed import run
from app.tasks.process import background
from tests.machinery.tasks.fixtures import MARKINGS, first_of, secret
from tests.machinery.tasks.processes import are_recorded, comes_true, started
from tests.tasks.fixtures import HeldTasks, failed_tasks

MARKING = first_of(MARKINGS)


async def store(database: Database, aggregate: str, *keys: str) -> None:
    async with database.write.begin() as session:
        for key in keys:
            await MARKING.mark_by(Outbox(session, aggregate))(key, 0)


async def is_empty(database: Database) -> bool:
    async with database.read() as session:
        return await session.scalar(OutboxMessage.oldest().limit(1)) is None


@pytest.mark.parametrize("message", ['{"of": "another"}', "no JSON"])
async def test_message_that_cannot_be_read_is_given_up(
    tasks: HeldTasks, database: Database, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    monkeypatch.setattr(relays, "RETRY_DELAY", 0)
    async with database.write.begin() as session:
        session.add(OutboxMessage(aggregate="one", message=message))
    assert await send_batch(database, partial(deliver, tasks)) == 0
    assert await is_empty(database)
    [failed] = await failed_tasks(database)
    assert failed.id.startswith("outbox-")
    assert failed.retry_at is None
    assert "ValidationError" in await run(database, "list", [], as_json=True)


async def test_a_hundred_bad_messages_do_not_stop_a_good_one(
    tasks: HeldTasks, effects: Database
) -> None:
    """At the relay's own pace; a bad one also raises what is not an outage."""

    async def refuse_bad_ones(message: str) -> None:
        if "timeout" in message:
            raise TasksUnavailable
        if "broken" in message:
            raise KeyError(message)
        await deliver(tasks, message)

    for number in range(100):
        await store(effects, f"bad {number}", ("timeout", "broken")[number % 2])
    await store(effects, "good", "good")

    async def only_those_that_are_retried_wait() -> bool:
        waiting, _, failing = await lag(effects)
        return waiting == failing == 50

    async with background(relay(effects, refuse_bad_ones, asyncio.Event())):
        assert await comes_true(only_those_that_are_retried_wait)
    assert tasks.arguments() == [["good", 0]]
    assert len(await failed_tasks(effects)) == 50


@pytest.mark.parametrize(
    "mistake",
    [
        DatabaseUnavailable(),
        TransactionConflict(),
        IntegrityError("", {}, Exception()),
        NotFoundProblem(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_error_of_the_transaction_stays_what_it_is(
    database: Database, monkeypatch: pytest.MonkeyPatch, mistake: Exception
) -> None:
    """Libraries take whatever is raised while a task is sent for an outage of the broker."""
    async with database.write() as session:
        monkeypatch.setattr(session, "flush", AsyncMock(side_effect=mistake))
        with pytest.raises(type(mistake)) as raised:
            await MARKING.mark_by(Outbox(session, "one"))("key", 0)
    assert raised.value is mistake


async def test_conflict_while_a_task_is_stored_is_retried(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadlock, for instance."""
    conflicts = [TransactionConflict(), None]
    monkeypatch.setattr("app.outbox.outbox.announce", AsyncMock(side_effect=conflicts))

    async def work(session: AsyncSession) -> None:
        await MARKING.mark_by(Outbox(session, "one"))("key", 0)

    await in_transaction(database, work)
    assert not await is_empty(database)


async def test_several_relays_keep_the_order_of_each_aggregate(
    tasks: HeldTasks, effects: Database
) -> None:
    aggregates = [uuid4().hex for _ in range(5)]
    for number in range(8):
        for aggregate in aggregates:
            await store(effects, aggregate, f"{aggregate} {number}")

    async def all_are_sent() -> bool:
        return await is_empty(effects)

    async with AsyncExitStack() as stack:
        for _ in range(3):
            unnotified = relay(effects, partial(deliver, tasks), asyncio.Event())
            await stack.enter_async_context(background(unnotified))
        assert await comes_true(all_are_sent)
    order: defaultdict[str, list[int]] = defaultdict(list)
    for key, _ in tasks.arguments():
        aggregate, position = str(key).split()
        order[aggregate].append(int(position))
    assert order == {aggregate: [*range(8)] for aggregate in aggregates}


async def test_relay_is_woken(
    tasks: HeldTasks,
    effects: Database,
    own_database: URL,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A database with notifications wakes the relay long before it polls."""
    monkeypatch.setattr(relays, "POLL_INTERVAL", POLL_INTERVAL * 30)
    own = settings.model_copy(update={"database_url": secret(own_database)})

    async def is_sent() -> bool:
        return bool(tasks.held)

    async with listening(own) as event, background(relay(effects, partial(deliver, tasks), event)):
        await asyncio.sleep(1)
        await store(effects, "one", "1")
        before = monotonic()
        assert await comes_true(is_sent)
        assert monotonic() - before < 10


async def test_relay_and_worker_run_what_is_stored(
    task_environment: dict[str, str], effects: Database
) -> None:
    async with (
        started("app.outbox.relay", task_environment),
        started(MARKING.__name__, task_environment),
    ):
        await store(effects, "one", "stored")
        assert await are_recorded(effects, "stored")
