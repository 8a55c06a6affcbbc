"""Which tasks are due: those with a cron expression, and failed ones that are to be retried."""

import asyncio
from datetime import datetime, timedelta

import structlog
from cronsim import CronSim
from pydantic import ValidationError
from sqlalchemy import delete

from app.db.base import utc_now
from app.db.errors import DatabaseUnavailable
from app.tasks.errors import TasksUnavailable
from app.tasks.models import FailedTask
from app.tasks.task import TASKS, Message, Task, TaskContext

BATCH = 100
INTERVAL = 1
"""Seconds between two checks."""
LEASE = timedelta(seconds=30)
"""After this time a retry that was taken from the table but not sent is due again."""

logger = structlog.stdlib.get_logger("app.tasks")


async def run_schedule(context: TaskContext) -> None:
    """Send tasks that are due, until cancelled."""
    schedule = Schedule(utc_now())
    while True:
        await send_due(schedule, context)
        await asyncio.sleep(INTERVAL)


async def send_due(schedule: "Schedule", context: TaskContext) -> None:
    """Send the tasks that are due; what cannot be sent stays due."""
    for send in (schedule.send, send_failed):
        try:
            await send(context, utc_now())
        except (TasksUnavailable, DatabaseUnavailable) as error:
            logger.warning("nothing sent", reason=repr(error.__cause__ or error))


class Schedule:
    """The next run of each task with a cron expression; runs before `now` are skipped."""

    def __init__(self, now: datetime) -> None:
        self._next = {name: next_run(task, now) for name, task in TASKS.items() if task.cron}

    async def send(self, context: TaskContext, now: datetime) -> None:
        """Send the tasks that are due, each once, however many runs were missed.

        Raises:
            TasksUnavailable: the broker did not accept one.
        """
        for name, time in self._next.items():
            if time <= now:
                await context.tasks.deliver(Message(name=name))
                self._next[name] = next_run(TASKS[name], now)


def next_run(task: Task[...], now: datetime) -> datetime:
    """Return when a task with a cron expression runs next."""
    return next(CronSim(task.cron or "", now))


async def send_failed(context: TaskContext, now: datetime) -> None:
    """Retry the failed tasks that are due; those that cannot be sent are due again after a while.

    Raises:
        TasksUnavailable: the broker did not accept one.
    """
    async with context.database.write.begin() as session:
        tasks = await session.scalars(FailedTask.due(now).limit(BATCH))
        messages = [message for task in tasks if (message := _leased(task, now))]
    for message in messages:
        await context.tasks.deliver(message)
        # Unless it has failed again in the meantime.
        sent = FailedTask.sent(message.id, message.attempt)
        async with context.database.write.begin() as session:
            await session.execute(delete(FailedTask).where(sent))


def _leased(task: FailedTask, now: datetime) -> Message | None:
    """Lease a failed task and return the message of its next attempt."""
    try:
        message = Message.model_validate_json(task.message)
    except ValidationError:
        # Not one of our messages: the project may have used another library before.
        logger.exception("task given up", task_id=task.id)
        task.retry_at = None
        return None
    task.retry_at = now + LEASE
    return message.model_copy(update={"attempt": task.attempt + 1})
