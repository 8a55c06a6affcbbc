"""A broker with what our tasks need around them."""

from typing import Any

from taskiq import AsyncBroker, AsyncTaskiqDecoratedTask
from taskiq.brokers.shared_broker import shared_task
from taskiq.formatters.json_formatter import JSONFormatter

from app.db.session import Database
from app.tasks.middleware import Failures, RequestId, TimeLimit
from app.tasks.settings import TaskSettings


def assemble(broker: AsyncBroker, settings: TaskSettings, database: Database) -> AsyncBroker:
    """Give tasks the database and the settings that they ask for, and let no failure get lost."""
    broker.add_dependency_context({Database: database, TaskSettings: settings})
    return broker.with_formatter(JSONFormatter()).with_middlewares(
        RequestId(), TimeLimit(settings.time_limit), Failures(settings, database)
    )


class UnknownTask(Exception):
    """No module called `tasks` has a task of this name: a newer release sent it or an older."""


@shared_task
async def unknown(*_arguments: object, **_options: object) -> None:
    """Fail, so that the task is kept and sent again: the workers may be new by then.

    Raises:
        UnknownTask: always.
    """
    raise UnknownTask


class KeepsUnknownTasks(AsyncBroker):
    """A broker for which a task of an unknown name is one that fails; taskiq would forget it."""

    def find_task(self, task_name: str) -> AsyncTaskiqDecoratedTask[..., Any]:
        """The task of this name."""
        return super().find_task(task_name) or unknown
