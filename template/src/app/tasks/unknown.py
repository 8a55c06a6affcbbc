"""Tasks that this version of the service does not know: a newer one sent them, or an older one."""

from typing import Any

from taskiq import AsyncBroker, AsyncTaskiqDecoratedTask
from taskiq.brokers.shared_broker import shared_task


class UnknownTask(Exception):
    """No module called `tasks` has a task of this name."""


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
