"""The scheduler: what it sends, when, and what becomes of what it cannot send."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.errors import TasksUnavailable
from app.tasks.failed import forget, resend
from app.tasks.models import FailedTask
from app.tasks.scheduler import Schedule, look, send_failed
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, TaskContext
from app.tasks.tasks import delete_old
from tests.tasks.fixtures import HeldTasks, fail, failed_tasks

TWICE = TaskSettings(attempts=2)


@pytest.fixture
def context(database: Database, tasks: HeldTasks) -> TaskContext:
    return TaskContext(database, TaskSettings(), tasks)


async def make_due(database: Database) -> None:
    async with database.write.begin() as session:
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(FailedTask).values(retry_at=past))


async def test_scheduler_sends_it_when_its_time_has_come(
    tasks: HeldTasks, context: TaskContext
) -> None:
    await tasks.send(fail, 7)
    [sent] = tasks.held
    await tasks.do_all(context.database)
    await send_failed(context, utc_now())
    assert not tasks.held, "it is not due yet"
    await make_due(context.database)
    await send_failed(context, utc_now())
    [again] = tasks.held
    assert again == sent.model_copy(update={"attempt": 2})
    assert not await failed_tasks(context.database)


async def test_scheduler_keeps_what_the_broker_does_not_take(
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


async def test_message_of_another_library_is_given_up(
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


async def test_clock_goes_on_when_the_broker_was_away(
    tasks: HeldTasks, context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    schedule = Schedule(utc_now() - timedelta(days=1))
    await tasks.send(fail, 7)
    await tasks.do_all(context.database)
    await make_due(context.database)
    tasks.is_away = True
    await look(schedule, context)
    tasks.is_away = False
    await make_due(context.database)
    await look(schedule, context)
    assert {fail.name, delete_old.name} <= {*tasks.names()}


async def test_task_that_fails_again_at_once_is_not_forgotten(
    tasks: HeldTasks, context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(context.database)
    await make_due(context.database)
    hold = tasks.deliver

    async def do_at_once(message: Message) -> None:
        await hold(message)
        await tasks.do_all(context.database)

    monkeypatch.setattr(tasks, "deliver", do_at_once)
    await send_failed(context, utc_now())
    [failed] = await failed_tasks(context.database)
    assert failed.attempt == 2


async def test_task_is_given_up_after_its_last_attempt(
    tasks: HeldTasks, context: TaskContext
) -> None:
    database = context.database
    await tasks.deliver(Message(name=fail.name, arguments={"number": 7}, attempt=2))
    await tasks.do_all(database, TWICE)
    [failed] = await failed_tasks(database)
    assert failed.retry_at is None
    async with database.write.begin() as session:
        assert await resend(session, ["all"]) == 1
    await send_failed(context, utc_now())
    [again] = tasks.held
    assert again.attempt == 1
    await tasks.do_all(database, TWICE)
    async with database.write.begin() as session:
        assert await forget(session, [failed.id]) == 1
    assert not await failed_tasks(database)


async def test_scheduled_task_is_sent_once_when_its_time_has_come(
    tasks: HeldTasks, context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    schedule = Schedule(midnight)
    await schedule.send_due(context, midnight + timedelta(hours=3, minutes=22))
    assert delete_old.name not in {message.name for message in tasks.held}
    for seconds in (0, 1, 2):
        await schedule.send_due(context, midnight + timedelta(hours=3, minutes=23, seconds=seconds))
    assert [message.name for message in tasks.held].count(delete_old.name) == 1
