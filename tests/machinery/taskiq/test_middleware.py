"""What surrounds tasks of taskiq: limits, retries, and what is stored of failures."""

import asyncio

import pytest
from taskiq import AsyncBroker, ScheduledTask, TaskiqMessage, TaskiqScheduler
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.config import TaskSettings
from app.tasks.middleware import ATTEMPT
from app.tasks.models import FailedTask
from app.tasks.schedule import FailedTasks
from tests.tasks.fixtures import HeldTasks, failed_tasks
from tests.tasks.test_tasks import dawdle, fail, make_due


async def send(tasks: HeldTasks, name: str, *arguments: object, **labels: float) -> None:
    """Send a task with labels; the task's own `kicker` would keep them for all that follow."""
    await AsyncKicker(name, tasks, {**labels}).kiq(*arguments)


class SlowSource(FailedTasks):
    """A schedule that has not deleted yet what it has sent."""

    def __init__(self) -> None:
        """It needs no database."""

    async def post_send(self, task: ScheduledTask) -> None:
        """Do nothing yet."""


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8)])
async def test_delay_doubles_with_each_retry(
    tasks: HeldTasks, database: Database, attempt: int, seconds: float
) -> None:
    await send(tasks, fail.task_name, 1, **{ATTEMPT: attempt})
    before = utc_now()
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert failed.retry_at
    assert seconds <= (failed.retry_at - before).total_seconds() < seconds * 1.25 + 1


async def test_due_task_is_leased(tasks: HeldTasks, database: Database) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(database)
    await make_due(database)
    source = FailedTasks(tasks, database)
    assert await source.get_schedules()
    assert await source.get_schedules() == [], "another scheduler would send it too"


async def test_message_that_cannot_be_read_is_given_up(database: Database) -> None:
    async with database.write.begin() as session:
        failed = FailedTask(id="foreign", name="x", message="{}", attempt=1, error="x")
        failed.retry_at = failed.failed_at = utc_now()
        session.add(failed)
    assert await FailedTasks(HeldTasks(), database).get_schedules() == []
    [given_up] = await failed_tasks(database)
    assert given_up.retry_at is None


async def test_task_that_fails_again_at_once_is_not_deleted(
    tasks: HeldTasks, database: Database
) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(database)
    await make_due(database)
    source = FailedTasks(tasks, database)
    [schedule] = await source.get_schedules()
    await TaskiqScheduler(tasks, [source]).on_ready(SlowSource(), schedule)
    await tasks.do_all(database)
    await source.post_send(schedule)
    [failed] = await failed_tasks(database)
    assert failed.attempt == 2


async def test_limit_of_a_task_takes_precedence(tasks: HeldTasks, database: Database) -> None:
    await send(tasks, dawdle.task_name, timeout=0.05)
    async with asyncio.timeout(5):
        await tasks.do_all(database, TaskSettings(time_limit=10))
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("TimeoutError")


async def test_default_time_limit_is_not_stored(tasks: HeldTasks, database: Database) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert "timeout" not in tasks.formatter.loads(failed.message.encode()).labels


async def test_unknown_task_is_stored(sender: AsyncBroker, effects: Database) -> None:
    message = TaskiqMessage(
        task_id="one", task_name="of:tomorrow", labels={}, args=[1], kwargs={"name": "x"}
    )
    worker = Receiver(sender, max_async_tasks=1)
    await worker.callback(sender.formatter.dumps(message).message)
    [stored] = await failed_tasks(effects)
    assert (stored.id, stored.name, stored.attempt) == ("one", "of:tomorrow", 1)
    assert stored.retry_at
