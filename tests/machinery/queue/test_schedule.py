"""The scheduler: when it sends tasks, and what happens to those it cannot send."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.config import TaskSettings
from app.tasks.errors import TasksUnavailable
from app.tasks.models import FailedTask
from app.tasks.schedule import Schedule, send_due, send_failed
from app.tasks.task import Message, TaskContext
from app.tasks.tasks import delete_old
from tests.tasks.fixtures import HeldTasks, failed_tasks
from tests.tasks.test_tasks import fail, make_due


@pytest.fixture
def context(database: Database, tasks: HeldTasks) -> TaskContext:
    return TaskContext(database, TaskSettings(), tasks)


async def test_task_that_the_broker_does_not_accept_is_leased(
    tasks: HeldTasks, context: TaskContext
) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(context.database)
    await make_due(context.database)
    tasks.is_away = True
    with pytest.raises(TasksUnavailable):
        await send_failed(context, utc_now())
    [failed] = await failed_tasks(context.database)
    assert failed.retry_at
    assert failed.retry_at > utc_now(), "another scheduler would send it too"


async def test_message_that_cannot_be_read_is_given_up(
    tasks: HeldTasks, context: TaskContext
) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(context.database)
    await make_due(context.database)
    async with context.database.write.begin() as session:
        await session.execute(update(FailedTask).values(message='{"task_name": "x"}'))
    await send_failed(context, utc_now())
    [failed] = await failed_tasks(context.database)
    assert failed.retry_at is None


async def test_scheduler_continues_after_an_outage_of_the_broker(
    tasks: HeldTasks, context: TaskContext
) -> None:
    schedule = Schedule(utc_now() - timedelta(days=1))
    await tasks.send(fail, 7)
    await tasks.do_all(context.database)
    await make_due(context.database)
    tasks.is_away = True
    await send_due(schedule, context)
    tasks.is_away = False
    await make_due(context.database)
    await send_due(schedule, context)
    assert {fail.name, delete_old.name} <= {*tasks.names()}


async def test_task_that_fails_again_at_once_is_not_deleted(
    tasks: HeldTasks, context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(context.database)
    await make_due(context.database)
    hold = tasks.deliver

    async def run_at_once(message: Message) -> None:
        await hold(message)
        await tasks.do_all(context.database)

    monkeypatch.setattr(tasks, "deliver", run_at_once)
    await send_failed(context, utc_now())
    [failed] = await failed_tasks(context.database)
    assert failed.attempt == 2


async def test_scheduled_task_is_sent_once(tasks: HeldTasks, context: TaskContext) -> None:
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    schedule = Schedule(midnight)
    await schedule.send(context, midnight + timedelta(hours=3, minutes=22))
    assert delete_old.name not in tasks.names()
    for seconds in (0, 1, 2):
        await schedule.send(context, midnight + timedelta(hours=3, minutes=23, seconds=seconds))
    assert tasks.names().count(delete_old.name) == 1
