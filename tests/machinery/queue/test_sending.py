"""Sending and running tasks: arguments, limits, retries, and brokers that are missing or away."""

import asyncio
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.broker import Broker
from app.tasks.config import TaskSettings
from app.tasks.connection import create_sender, opened
from app.tasks.errors import TasksUnavailable
from app.tasks.service import first_time
from app.tasks.task import Message, TaskContext, task
from tests.machinery.tasks.processes import are_recorded
from tests.tasks.fixtures import HeldTasks, failed_tasks
from tests.tasks.test_tasks import dawdle, fail

received = list[UUID]()
hurried = task("test:hurried", attempts=1, time_limit=0.05)(dawdle.function)


@task("test:receive")
async def receive(_: TaskContext, identifier: UUID) -> None:
    """Keep the argument."""
    received.append(identifier)


@task("test:record")
async def record(context: TaskContext, key: str) -> None:
    """Record an effect."""
    async with context.database.write.begin() as session:
        await first_time(session, key)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8)])
async def test_delay_doubles_with_each_retry(
    tasks: HeldTasks, database: Database, attempt: int, seconds: float
) -> None:
    await tasks.deliver(Message(name=fail.name, arguments={"number": 1}, attempt=attempt))
    before = utc_now()
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.retry_at
    assert seconds <= (failed.retry_at - before).total_seconds() < seconds * 1.25 + 1


async def test_limits_of_a_task_take_precedence(tasks: HeldTasks, database: Database) -> None:
    await tasks.send(hurried)
    async with asyncio.timeout(5):
        await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("TimeoutError")
    assert failed.retry_at is None


async def test_unknown_task_is_stored(tasks: HeldTasks, database: Database) -> None:
    await tasks.deliver(Message(name="of:tomorrow", arguments={"name": "x"}))
    await tasks.do_all(database)
    [stored] = await failed_tasks(database)
    assert (stored.name, stored.error) == ("of:tomorrow", "UnknownTask: ")
    assert stored.retry_at


async def test_arguments_are_validated(tasks: HeldTasks, database: Database) -> None:
    identifier = uuid4()
    await tasks.send(receive, identifier)
    assert tasks.arguments() == [[str(identifier)]]
    await tasks.do_all(database)
    assert received == [identifier]
    await tasks.deliver(Message(name=receive.name, arguments={"identifier": "nonsense"}))
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("ValidationError")


async def test_service_without_a_broker_runs_its_own_tasks(
    effects: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    tasks = create_sender(TaskSettings(), effects)
    async with opened(tasks):
        await tasks.send(record, "here")
        assert await are_recorded(effects, "here")


async def test_unreachable_broker_accepts_no_task(broker_url: str) -> None:
    scheme = urlsplit(broker_url).scheme
    nowhere = "unix:///nowhere/socket" if scheme == "unix" else f"{scheme}://127.0.0.1:1/"
    broker = Broker(nowhere, TaskSettings())
    async with asyncio.timeout(20):
        with pytest.raises(TasksUnavailable):
            await broker.send(fail, 1)
        await broker.close()


def test_names_of_tasks_are_unique() -> None:
    with pytest.raises(ValueError, match=r"There is a task called test:fail already\."):
        task(fail.name)
