"""What surrounds every task: its log, its time limit, and the storing of failures."""

from typing import Any

import structlog
from taskiq import (
    AsyncBroker,
    AsyncTaskiqDecoratedTask,
    TaskiqMessage,
    TaskiqMiddleware,
    TaskiqResult,
)
from taskiq.brokers.shared_broker import shared_task
from taskiq.formatters.json_formatter import JSONFormatter

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.config import TaskSettings
from app.tasks.models import FailedTask
from app.tasks.service import next_attempt, store

ATTEMPT = "attempt"
"""The label that counts the attempts of a task, from 1."""

logger = structlog.stdlib.get_logger("app.tasks")


def equip(broker: AsyncBroker, settings: TaskSettings, database: Database) -> AsyncBroker:
    """Add the middlewares, and the database and the settings as dependencies of tasks."""
    broker.add_dependency_context({Database: database, TaskSettings: settings})
    return broker.with_formatter(JSONFormatter()).with_middlewares(
        RequestId(), TimeLimit(settings.time_limit), Failures(settings, database)
    )


class RequestId(TaskiqMiddleware):
    """Passes the request ID on to the tasks that a request sends, and to their log."""

    def pre_send(self, message: TaskiqMessage) -> TaskiqMessage:
        """Label the task with the ID of the current request."""
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id:
            message.labels.setdefault("request_id", request_id)
        return message

    def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        """Bind the task and its request ID to the log."""
        context = {"task": message.task_name, "task_id": message.task_id}
        if request_id := message.labels.get("request_id"):
            context["request_id"] = request_id
        structlog.contextvars.bind_contextvars(**context)
        return message

    def post_execute(self, message: TaskiqMessage, result: TaskiqResult[Any]) -> None:
        """Log the outcome."""
        logger.info(
            "task",
            ok=not result.is_err,
            attempt=attempt_of(message),
            duration_ms=round(result.execution_time * 1000),
        )


class TimeLimit(TaskiqMiddleware):
    """Cancels tasks that exceed their time limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        """Set the default limit, unless the task has a limit of its own."""
        message.labels.setdefault("timeout", self._seconds)
        return message


class Failures(TaskiqMiddleware):
    """Stores failed tasks, from where they are retried; only then are they acknowledged."""

    def __init__(self, settings: TaskSettings, database: Database) -> None:
        super().__init__()
        self._settings = settings
        self._database = database

    async def on_error(
        self, message: TaskiqMessage, result: TaskiqResult[Any], exception: BaseException
    ) -> None:
        """Store the task with its error; retries while the database is unavailable."""
        del result
        attempt = attempt_of(message)
        attempts = int(message.labels.get("attempts", self._settings.attempts))
        failed = FailedTask(
            id=message.task_id,
            name=message.task_name,
            message=self._serialized(message),
            attempt=attempt,
            error=f"{type(exception).__name__}: {exception}"[:1000],
            retry_at=next_attempt(attempt, attempts, self._settings),
            failed_at=utc_now(),
        )
        await store(self._database, failed)

    def _serialized(self, message: TaskiqMessage) -> str:
        """Serialize the message without the default limit, which may change until the retry."""
        default = ("timeout", self._settings.time_limit)
        labels = {name: value for name, value in message.labels.items() if (name, value) != default}
        original = message.model_copy(update={"labels": labels})
        return self.broker.formatter.dumps(original).message.decode()


def attempt_of(message: TaskiqMessage) -> int:
    """Return the number of this attempt, from 1."""
    return int(message.labels.get(ATTEMPT, 1))


class UnknownTask(Exception):
    """No module named `tasks` has a task of this name: another release may have sent it."""


@shared_task
async def unknown(*_arguments: object, **_options: object) -> None:
    """Stand in for a task that this release does not have.

    Raises:
        UnknownTask: always, so that the task is stored and retried by workers that may be newer.
    """
    raise UnknownTask


class KeepsUnknownTasks(AsyncBroker):
    """A broker for which an unknown task is a failed one; taskiq itself would drop it."""

    def find_task(self, task_name: str) -> AsyncTaskiqDecoratedTask[..., Any]:
        """Return the task of this name, or the one that stands in for it."""
        return super().find_task(task_name) or unknown
