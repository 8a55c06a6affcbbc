"""What happens around every task: its log, its time limit, and what follows when it fails."""

import asyncio
from time import monotonic

import structlog
from structlog.contextvars import bound_contextvars

from app.db.base import utc_now
from app.tasks.failed import next_attempt, store
from app.tasks.models import FailedTask
from app.tasks.task import TASKS, Message, Task, TaskContext

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
            await _keep(message, error, context)


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


async def _keep(message: Message, error: Exception, context: TaskContext) -> None:
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
