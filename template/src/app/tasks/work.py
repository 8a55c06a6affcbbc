"""What happens around every task: its log, its time limit, and what follows when it fails."""

import asyncio
from datetime import datetime, timedelta
from secrets import SystemRandom
from time import monotonic

import structlog
from structlog.contextvars import bound_contextvars

from app.core.models import utc_now
from app.core.unavailable import DatabaseUnavailable
from app.tasks.models import FailedTask
from app.tasks.settings import TaskSettings
from app.tasks.task import TASKS, Message, Task, TaskContext

LONGEST_DELAY = 3600
"""Seconds."""

logger = structlog.stdlib.get_logger("app.tasks")


class UnknownTask(Exception):
    """No module called `tasks` has a task of this name: a newer release sent it or an older."""


async def do(message: Message, context: TaskContext) -> None:
    """Do a task; one that fails is stored, to be sent again later or to be looked at by somebody.

    It may be taken off the broker when this returns, and not before.
    """
    names = {"task": message.name, "task_id": message.id}
    if message.request_id:
        names["request_id"] = message.request_id
    with bound_contextvars(**names):
        begin = monotonic()
        error = await _error_of(message, context)
        logger.info(
            "task",
            ok=error is None,
            attempt=message.attempt,
            duration_ms=round((monotonic() - begin) * 1000),
        )
        if error:
            await _store(message, error, context)


async def _error_of(message: Message, context: TaskContext) -> Exception | None:
    try:
        task = _known(message.name)
        async with asyncio.timeout(task.time_limit or context.settings.time_limit):
            await task.run(context, message.arguments)
    except Exception as error:
        logger.exception("task failed")
        return error
    return None


def _known(name: str) -> Task[...]:
    try:
        return TASKS[name]
    except KeyError:
        raise UnknownTask from None


async def _store(message: Message, error: Exception, context: TaskContext) -> None:
    """Store the task with its error; waits as long as the database is away."""
    failed = FailedTask(
        id=message.id,
        name=message.name,
        message=message.model_dump_json(),
        attempt=message.attempt,
        error=f"{type(error).__name__}: {error}"[:1000],
        retry_at=_retry_at(message, context.settings),
        failed_at=utc_now(),
    )
    while True:
        try:
            async with context.database.write.begin() as session:
                await session.merge(failed)
        except DatabaseUnavailable:
            await asyncio.sleep(1)
        else:
            return


def _retry_at(message: Message, settings: TaskSettings) -> datetime | None:
    task = TASKS.get(message.name)
    attempts = task.attempts if task and task.attempts else settings.attempts
    if message.attempt >= attempts:
        logger.error("task given up", attempt=message.attempt)
        return None
    delay = min(settings.retry_delay * 2.0 ** (message.attempt - 1), LONGEST_DELAY)
    # Tasks that failed together should not come back together.
    return utc_now() + timedelta(seconds=delay * SystemRandom().uniform(1, 1.25))
