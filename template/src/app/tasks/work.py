"""What surrounds every task: its log, its time limit, and the storing of failures."""

import asyncio
from time import monotonic

import structlog
from structlog.contextvars import bound_contextvars

from app.db.base import utc_now
from app.tasks.models import FailedTask
from app.tasks.service import next_attempt, store
from app.tasks.task import TASKS, Message, Task, TaskContext

logger = structlog.stdlib.get_logger("app.tasks")


class UnknownTask(Exception):
    """No module named `tasks` has a task of this name: another release may have sent it."""


async def execute(message: Message, context: TaskContext) -> None:
    """Run a task; if it fails, store it, from where it is retried.

    The message may be acknowledged once this has returned.
    """
    names = {"task": message.name, "task_id": message.id}
    if message.request_id:
        names["request_id"] = message.request_id
    with bound_contextvars(**names):
        start = monotonic()
        error = await _error_of(message, context)
        logger.info(
            "task",
            ok=error is None,
            attempt=message.attempt,
            duration_ms=round((monotonic() - start) * 1000),
        )
        if error:
            await _store(message, error, context)


async def _error_of(message: Message, context: TaskContext) -> Exception | None:
    try:
        task = _registered(message.name)
        async with asyncio.timeout(task.time_limit or context.settings.time_limit):
            await task.run(context, message.arguments)
    except Exception as error:
        logger.exception("task failed")
        return error
    return None


def _registered(name: str) -> Task[...]:
    try:
        return TASKS[name]
    except KeyError:
        raise UnknownTask from None


async def _store(message: Message, error: Exception, context: TaskContext) -> None:
    task, settings = TASKS.get(message.name), context.settings
    attempts = task.attempts if task and task.attempts else settings.attempts
    failed = FailedTask(
        id=message.id,
        name=message.name,
        message=message.model_dump_json(),
        attempt=message.attempt,
        error=f"{type(error).__name__}: {error}"[:1000],
        retry_at=next_attempt(message.attempt, attempts, settings),
        failed_at=utc_now(),
    )
    await store(context.database, failed)
