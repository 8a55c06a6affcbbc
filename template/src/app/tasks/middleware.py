"""What happens around every task: its log, its time limit, and what follows when it fails."""

from typing import Any

import structlog
from taskiq import TaskiqMessage, TaskiqMiddleware, TaskiqResult

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.failed import next_attempt, store
from app.tasks.models import FailedTask
from app.tasks.settings import TaskSettings

ATTEMPT = "attempt"
"""The label that counts the attempts of a task, from 1."""

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
        attempt = attempt_of(message)
        attempts = int(message.labels.get("attempts", self._settings.attempts))
        failed = FailedTask(
            id=message.task_id,
            name=message.task_name,
            message=self._text(message),
            attempt=attempt,
            error=f"{type(exception).__name__}: {exception}"[:1000],
            retry_at=next_attempt(attempt, attempts, self._settings),
            failed_at=utc_now(),
        )
        await store(self._database, failed)

    def _text(self, message: TaskiqMessage) -> str:
        """The message as it was sent: the next attempt has the limit of its own time."""
        limit = ("timeout", self._settings.time_limit)
        labels = {name: value for name, value in message.labels.items() if (name, value) != limit}
        sent = message.model_copy(update={"labels": labels})
        return self.broker.formatter.dumps(sent).message.decode()


def attempt_of(message: TaskiqMessage) -> int:
    """Which attempt this is, from 1."""
    return int(message.labels.get(ATTEMPT, 1))
