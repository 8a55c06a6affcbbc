"""Tasks: what is sent, what is done, and what happens to those that fail."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import httpx2
import pytest
from fastapi import FastAPI, Query
from sqlalchemy import select, update
from taskiq import ScheduledTask, TaskiqMessage, TaskiqScheduler
from taskiq.brokers.shared_broker import shared_task
from taskiq.receiver import Receiver

from app.core.config import Settings
from app.core.logging import configure_logging
from app.db.base import utc_now
from app.db.session import Database
from app.tasks.failed import forget, resend
from app.tasks.middleware import ATTEMPT
from app.tasks.models import FailedTask, TaskEffect
from app.tasks.scheduler import FailedTasks
from app.tasks.settings import TaskSettings
from app.tasks.tasks import delete_old
from tests.tasks.fixtures import HeldTasks, Sender

TWICE = TaskSettings(attempts=2)


@shared_task
async def fail(number: int) -> None:
    """Fail."""
    message = f"number {number}"
    raise ValueError(message)


@shared_task
async def dawdle() -> None:
    """Take longer than allowed."""
    await asyncio.sleep(10)


class Unhurried(FailedTasks):
    """A scheduler that has not yet noted what it sent."""

    def __init__(self) -> None:
        """It needs nothing."""

    async def post_send(self, task: ScheduledTask) -> None:
        """Later."""


async def failed_tasks(database: Database) -> Sequence[FailedTask]:
    async with database.read() as session:
        return (await session.scalars(select(FailedTask))).all()


async def make_due(database: Database) -> None:
    async with database.write.begin() as session:
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(FailedTask).values(retry_at=past))


@pytest.fixture(autouse=True)
def started(app: FastAPI) -> FastAPI:
    """The application, which tells tasks where to go."""
    return app


async def test_failed_task_is_stored_to_be_sent_again(tasks: HeldTasks, database: Database) -> None:
    await fail.kiq(7)
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.name.endswith(":fail")
    assert failed.error == "ValueError: number 7"
    assert failed.attempt == 1
    assert failed.retry_at


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8)])
async def test_each_further_wait_is_twice_as_long(
    tasks: HeldTasks, database: Database, attempt: int, seconds: float
) -> None:
    await tasks.send_labelled(fail.task_name, 1, **{ATTEMPT: attempt})
    before = utc_now()
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.retry_at
    waits = (failed.retry_at - before).total_seconds()
    assert seconds <= waits < seconds * 1.25 + 1


async def test_scheduler_sends_it_when_its_time_has_come(
    tasks: HeldTasks, database: Database
) -> None:
    await fail.kiq(7)
    [sent] = tasks.held
    await tasks.do_all(database)
    source = FailedTasks(tasks, database)
    assert await source.get_schedules() == []
    await make_due(database)
    [schedule] = await source.get_schedules()
    assert schedule.task_id == sent.task_id
    assert schedule.args == [7]
    assert schedule.labels[ATTEMPT] == 2
    assert await source.get_schedules() == [], "another scheduler would send it too"
    await source.post_send(schedule)
    assert not await failed_tasks(database)


async def test_message_of_another_library_is_given_up(database: Database) -> None:
    async with database.write.begin() as session:
        session.add(failure("foreign", failed_at=utc_now(), retry_at=utc_now()))
    assert await FailedTasks(HeldTasks(), database).get_schedules() == []
    [failed] = await failed_tasks(database)
    assert failed.retry_at is None


async def test_task_that_fails_again_at_once_is_not_forgotten(
    tasks: HeldTasks, database: Database
) -> None:
    await fail.kiq(7)
    await tasks.do_all(database)
    await make_due(database)
    source = FailedTasks(tasks, database)
    [schedule] = await source.get_schedules()
    await TaskiqScheduler(tasks, [source]).on_ready(Unhurried(), schedule)
    await tasks.do_all(database)
    await source.post_send(schedule)
    [failed] = await failed_tasks(database)
    assert failed.attempt == 2


async def test_task_is_given_up_after_its_last_attempt(
    tasks: HeldTasks, database: Database
) -> None:
    await tasks.send_labelled(fail.task_name, 7, **{ATTEMPT: 2})
    await tasks.do_all(database, TWICE)
    [failed] = await failed_tasks(database)
    assert failed.retry_at is None
    async with database.write.begin() as session:
        assert await resend(session, ["all"]) == 1
    [schedule] = await FailedTasks(tasks, database).get_schedules()
    assert schedule.labels[ATTEMPT] == 1
    async with database.write.begin() as session:
        assert await forget(session, [failed.id]) == 1
    assert not await failed_tasks(database)


@pytest.mark.parametrize("labels", [{}, {"timeout": 0.05}])
async def test_task_that_takes_too_long_has_failed(
    tasks: HeldTasks, database: Database, labels: dict[str, float]
) -> None:
    """The limit is the settings', or the task's own."""
    limit = TaskSettings(time_limit=10 if labels else 0.05)
    await tasks.send_labelled(dawdle.task_name, **labels)
    async with asyncio.timeout(5):
        await tasks.do_all(database, limit)
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("TimeoutError")


async def test_time_limit_of_the_past_does_not_hold_for_the_next_attempt(
    tasks: HeldTasks, database: Database
) -> None:
    await fail.kiq(7)
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert "timeout" not in tasks.formatter.loads(failed.message.encode()).labels


async def test_task_that_the_worker_does_not_know_is_kept(
    sender: Sender, effects: Database
) -> None:
    message = TaskiqMessage(
        task_id="one", task_name="of:tomorrow", labels={}, args=[1], kwargs={"name": "x"}
    )
    worker = Receiver(sender, max_async_tasks=1)
    await worker.callback(sender.formatter.dumps(message).message)
    [kept] = await failed_tasks(effects)
    assert (kept.id, kept.name, kept.attempt) == ("one", "of:tomorrow", 1)
    assert kept.retry_at


async def test_request_id_goes_along(
    app: FastAPI,
    settings: Settings,
    client: httpx2.AsyncClient,
    tasks: HeldTasks,
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @app.post("/fail")
    async def send(number: Annotated[int, Query()]) -> None:
        await fail.kiq(number)

    await client.post("/fail?number=3", headers={"X-Request-ID": "from-outside"})
    configure_logging(settings)
    await tasks.do_all(database)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [end] = [line for line in lines if line["message"] == "task"]
    assert end["request_id"] == "from-outside"
    assert end["task"].endswith(":fail")
    assert end["ok"] is False


async def test_broker_that_is_away_is_a_503(
    app: FastAPI, client: httpx2.AsyncClient, tasks: HeldTasks
) -> None:
    @app.post("/fail")
    async def send() -> None:
        await fail.kiq(1)

    tasks.is_away = True
    answer = await client.post("/fail")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "tasks-unavailable"
    assert answer.json()["request_id"]


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
    await delete_old.kiq()
    await tasks.do_all(database)
    assert {failed.id for failed in await failed_tasks(database)} == {"waits", "new"}
    async with database.read() as session:
        [left] = await session.scalars(select(TaskEffect))
    assert left.key == "new"
