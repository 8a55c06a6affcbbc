"""What sends tasks when their time has come: one process, for two would send each tick twice."""

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
EVERY = 1
"""Seconds between two looks at the clock."""
LEASE = timedelta(seconds=30)
"""When a task that was about to be sent again, and was not, is due once more."""

logger = structlog.stdlib.get_logger("app.tasks")


async def tick(context: TaskContext) -> None:
    """Send for ever; what cannot be sent is tried again."""
    schedule = Schedule(utc_now())
    while True:
        await look(schedule, context)
        await asyncio.sleep(EVERY)


async def look(schedule: "Schedule", context: TaskContext) -> None:
    """Send what is due, as far as it can be sent."""
    for send in (schedule.send_due, send_failed):
        try:
            await send(context, utc_now())
        except (TasksUnavailable, DatabaseUnavailable) as error:
            logger.warning("nothing sent", reason=repr(error.__cause__ or error))


class Schedule:
    """When tasks with a `cron` are sent; times before the start are over."""

    def __init__(self, now: datetime) -> None:
        self._next = {name: following(task, now) for name, task in TASKS.items() if task.cron}

    async def send_due(self, context: TaskContext, now: datetime) -> None:
        """Send those whose time has come, once, however long ago that was.

        Raises:
            TasksUnavailable: the broker did not take one.
        """
        for name, time in self._next.items():
            if time <= now:
                await context.tasks.deliver(Message(name=name))
                self._next[name] = following(TASKS[name], now)


def following(task: Task[...], now: datetime) -> datetime:
    """The first time after now."""
    return next(CronSim(task.cron or "", now))


async def send_failed(context: TaskContext, now: datetime) -> None:
    """Send the failed tasks that are due; one that was not sent is due again after a while.

    Raises:
        TasksUnavailable: the broker did not take one.
    """
    async with context.database.write.begin() as session:
        rows = await session.scalars(FailedTask.due(now).limit(BATCH))
        messages = [message for row in rows if (message := _leased(row, now))]
    for message in messages:
        await context.tasks.deliver(message)
        # Unless it has failed again in the meantime.
        sent = FailedTask.sent(message.id, message.attempt)
        async with context.database.write.begin() as session:
            await session.execute(delete(FailedTask).where(sent))


def _leased(row: FailedTask, now: datetime) -> Message | None:
    """The next attempt, if this is a message that can be read; another library's cannot."""
    try:
        message = Message.model_validate_json(row.message)
    except ValidationError:
        logger.exception("task given up", task_id=row.id)
        row.retry_at = None
        return None
    row.retry_at = now + LEASE
    return message.model_copy(update={"attempt": row.attempt + 1})
