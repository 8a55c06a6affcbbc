"""Tasks: what is sent, what is done, and what happens to those that fail."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI, Query
from sqlalchemy import select

from app.core.config import Settings
from app.core.logging import configure_logging
from app.db.base import utc_now
from app.db.session import Database
from app.tasks.broker import Broker
from app.tasks.connection import TasksDep, create_sender, opened
from app.tasks.effects import first_time
from app.tasks.errors import TasksUnavailable
from app.tasks.models import FailedTask, TaskEffect
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, TaskContext, task
from app.tasks.tasks import delete_old
from tests.tasks.fixtures import HeldTasks, fail, failed_tasks
from tests.tasks.processes import are_left

received = list[UUID]()


@task("tests:dawdle")
async def dawdle(_: TaskContext) -> None:
    """Take longer than allowed."""
    await asyncio.sleep(10)


@task("tests:receive")
async def receive(_: TaskContext, identifier: UUID) -> None:
    """Keep what it is given."""
    received.append(identifier)


@task("tests:leave")
async def leave(context: TaskContext, key: str) -> None:
    """Leave a mark."""
    async with context.database.write.begin() as session:
        await first_time(session, key)


async def test_failed_task_is_stored_to_be_sent_again(tasks: HeldTasks, database: Database) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.name == "tests:fail"
    assert failed.error == "ValueError: number 7"
    assert failed.attempt == 1
    assert failed.retry_at


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8)])
async def test_each_further_wait_is_twice_as_long(
    tasks: HeldTasks, database: Database, attempt: int, seconds: float
) -> None:
    await tasks.deliver(Message(name=fail.name, arguments={"number": 1}, attempt=attempt))
    before = utc_now()
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.retry_at
    waits = (failed.retry_at - before).total_seconds()
    assert seconds <= waits < seconds * 1.25 + 1


async def test_task_that_takes_too_long_has_failed(tasks: HeldTasks, database: Database) -> None:
    await tasks.send(dawdle)
    async with asyncio.timeout(5):
        await tasks.do_all(database, TaskSettings(time_limit=0.05))
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("TimeoutError")


async def test_task_has_its_own_limits(tasks: HeldTasks, database: Database) -> None:
    hurried = task("tests:hurried", attempts=1, time_limit=0.05)(dawdle.function)
    await tasks.send(hurried)
    async with asyncio.timeout(5):
        await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("TimeoutError")
    assert failed.retry_at is None


async def test_task_that_the_worker_does_not_know_is_kept(
    tasks: HeldTasks, database: Database
) -> None:
    await tasks.deliver(Message(name="of:tomorrow", arguments={"name": "x"}))
    await tasks.do_all(database)
    [kept] = await failed_tasks(database)
    assert (kept.name, kept.error) == ("of:tomorrow", "UnknownTask: ")
    assert kept.retry_at


async def test_arguments_arrive_as_what_the_task_wants(
    tasks: HeldTasks, database: Database
) -> None:
    identifier = uuid4()
    await tasks.send(receive, identifier)
    assert tasks.arguments() == [[str(identifier)]]
    await tasks.do_all(database)
    assert received == [identifier]
    await tasks.deliver(Message(name=receive.name, arguments={"identifier": "nonsense"}))
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("ValidationError")


async def test_service_without_a_broker_does_its_tasks_itself(
    effects: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    tasks = create_sender(TaskSettings(), effects)
    async with opened(tasks):
        await tasks.send(leave, "here")
        assert await are_left(effects, "here")


async def test_request_id_goes_along(
    app: FastAPI,
    settings: Settings,
    client: httpx2.AsyncClient,
    tasks: HeldTasks,
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @app.post("/fail")
    async def send(number: Annotated[int, Query()], tasks: TasksDep) -> None:
        await tasks.send(fail, number)

    await client.post("/fail?number=3", headers={"X-Request-ID": "from-outside"})
    configure_logging(settings)
    await tasks.do_all(database)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [end] = [line for line in lines if line["message"] == "task"]
    assert end["request_id"] == "from-outside"
    assert end["task"] == "tests:fail"
    assert end["ok"] is False


async def test_broker_that_is_away_is_a_503(
    app: FastAPI, client: httpx2.AsyncClient, tasks: HeldTasks
) -> None:
    @app.post("/fail")
    async def send(tasks: TasksDep) -> None:
        await tasks.send(fail, 1)

    tasks.is_away = True
    answer = await client.post("/fail")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "tasks-unavailable"
    assert answer.json()["request_id"]


async def test_broker_that_nobody_reaches_takes_no_task(broker_url: str) -> None:
    scheme = urlsplit(broker_url).scheme
    nowhere = "unix:///nowhere/socket" if scheme == "unix" else f"{scheme}://127.0.0.1:1/"
    broker = Broker(nowhere, TaskSettings())
    async with asyncio.timeout(10):
        with pytest.raises(TasksUnavailable):
            await broker.send(fail, 1)
        await broker.close()


def test_two_tasks_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match=r"There is a task called tests:fail already\."):
        task(fail.name)


def failure(key: str, *, failed_at: datetime, retry_at: datetime | None = None) -> FailedTask:
    return FailedTask(
        id=key,
        name="x",
        message="{}",
        attempt=1,
        error="x",
        retry_at=retry_at,
        failed_at=failed_at,
    )


async def test_old_marks_and_failures_are_deleted(tasks: HeldTasks, database: Database) -> None:
    long_ago = utc_now() - timedelta(days=40)
    async with database.write.begin() as session:
        session.add(TaskEffect(key="old", created_at=long_ago))
        session.add(TaskEffect(key="new"))
        session.add(failure("old", failed_at=long_ago))
        session.add(failure("waits", failed_at=long_ago, retry_at=utc_now()))
        session.add(failure("new", failed_at=utc_now()))
    await tasks.send(delete_old)
    await tasks.do_all(database)
    assert {failed.id for failed in await failed_tasks(database)} == {"waits", "new"}
    async with database.read() as session:
        [left] = await session.scalars(select(TaskEffect))
    assert left.key == "new"
