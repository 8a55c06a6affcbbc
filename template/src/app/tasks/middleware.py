"""What happens around every task: its log, its time limit, and what follows when it fails."""

import asyncio
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any

import structlog
from taskiq import TaskiqMessage, TaskiqMiddleware, TaskiqResult

from app.core.database import Database
from app.core.models import utc_now
from app.core.unavailable import DatabaseUnavailable
from app.tasks.models import FailedTask
from app.tasks.settings import TaskSettings

ATTEMPT = "attempt"
"""The label that counts the attempts of a task, from 1."""
LONGEST_DELAY = 3600
"""Seconds."""

logger = structlog.stdlib.get_logger("app.tasks")


class RequestId(TaskiqMiddleware):
    """Takes the id of a request along to the tasks that it sends, and to their log."""

    def pre_send(self, message: TaskiqMessage) -> TaskiqMessage:
        """Label the task with the request that sent it."""
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id:
            message.labels.setdefault("request_id", request_id)
        return message

    def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        """Have every line of the task's log say which task it is, and for which request."""
        names = {"task": message.task_name, "task_id": message.task_id}
        if request_id := message.labels.get("request_id"):
            names["request_id"] = request_id
        structlog.contextvars.bind_contextvars(**names)
        return message

    def post_execute(self, message: TaskiqMessage, result: TaskiqResult[Any]) -> None:
        """Log how the task ended."""
        logger.info(
            "task",
            ok=not result.is_err,
            attempt=attempt_of(message),
            duration_ms=round(result.execution_time * 1000),
        )


class TimeLimit(TaskiqMiddleware):
    """Ends tasks that take too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        """Limit the task, unless it has a limit of its own."""
        message.labels.setdefault("timeout", self._seconds)
        return message


class Failures(TaskiqMiddleware):
    """Stores a task that failed: to be sent again later, or to be looked at by somebody.

    The task is taken off the broker only when that is done.
    """

    def __init__(self, settings: TaskSettings, database: Database) -> None:
        super().__init__()
        self._settings = settings
        self._database = database

    async def on_error(
        self, message: TaskiqMessage, result: TaskiqResult[Any], exception: BaseException
    ) -> None:
        """Store the task with its error; waits as long as the database is away."""
        del result
        failed = FailedTask(
            id=message.task_id,
            name=message.task_name,
            message=self._text(message),
            attempt=attempt_of(message),
            error=f"{type(exception).__name__}: {exception}"[:1000],
            retry_at=self._retry_at(message),
            failed_at=utc_now(),
        )
        while True:
            try:
                async with self._database.write.begin() as session:
                    await session.merge(failed)
            except DatabaseUnavailable:
                await asyncio.sleep(1)
            else:
                return

    def _text(self, message: TaskiqMessage) -> str:
        """The message as it was sent: the next attempt has the limit of its own time."""
        limit = ("timeout", self._settings.time_limit)
        labels = {name: value for name, value in message.labels.items() if (name, value) != limit}
        sent = message.model_copy(update={"labels": labels})
        return self.broker.formatter.dumps(sent).message.decode()

    def _retry_at(self, message: TaskiqMessage) -> datetime | None:
        attempt = attempt_of(message)
        if attempt >= int(message.labels.get("attempts", self._settings.attempts)):
            logger.error("task given up", attempt=attempt)
            return None
        delay = min(self._settings.retry_delay * 2.0 ** (attempt - 1), LONGEST_DELAY)
        # Tasks that failed together should not come back together.
        return utc_now() + timedelta(seconds=delay * SystemRandom().uniform(1, 1.25))


def attempt_of(message: TaskiqMessage) -> int:
    """Which attempt this is, from 1."""
    return int(message.labels.get(ATTEMPT, 1))
