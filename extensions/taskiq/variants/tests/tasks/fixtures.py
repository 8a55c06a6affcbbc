"""The tasks that a test sends are held, until the test runs them as a worker would."""

import asyncio
from collections.abc import Sequence
from typing import Any, ParamSpec

import pytest
from sqlalchemy import select
from taskiq import AsyncTaskiqDecoratedTask, BrokerMessage, InMemoryBroker, async_shared_broker
from taskiq.formatters.json_formatter import JSONFormatter

from app.db.session import Database
from app.tasks.broker import OUTAGE
from app.tasks.config import TaskSettings
from app.tasks.middleware import equip
from app.tasks.models import FailedTask

P = ParamSpec("P")


class HeldTasks(InMemoryBroker):
    """A broker that holds what the application sends."""

    def __init__(self) -> None:
        super().__init__()
        self.with_formatter(JSONFormatter())
        self.held: list[BrokerMessage] = []
        self.is_away = False

    async def kick(self, message: BrokerMessage) -> None:
        """Hold the task; fails if `is_away`."""
        if self.is_away:
            raise OUTAGE[0]
        self.held.append(message)

    def names(self) -> list[str]:
        """The names of the held tasks."""
        return [message.task_name for message in self.held]

    def request_ids(self) -> list[str | None]:
        """The IDs of the requests that sent them."""
        return [message.labels.get("request_id") for message in self.held]

    def arguments(self) -> list[list[Any]]:
        """Their arguments."""
        return [self.formatter.loads(message.message).args for message in self.held]

    async def send(
        self, task: AsyncTaskiqDecoratedTask[P, Any], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Send a task by this broker."""
        await task.kicker().with_broker(self).kiq(*args, **kwargs)

    async def do_all(self, database: Database, settings: TaskSettings | None = None) -> None:
        """Run the held tasks, as a worker does."""
        worker = InMemoryBroker()
        equip(worker, settings or TaskSettings(), database)
        waiting, self.held = self.held, []
        for message in waiting:
            await worker.receiver.callback(message.message)


async def failed_tasks(database: Database) -> Sequence[FailedTask]:
    """The failed tasks in the database."""
    async with database.read() as session:
        return (await session.scalars(select(FailedTask))).all()


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> HeldTasks:
    """The tasks that the application sends in this test."""
    held = HeldTasks()
    # Tasks go to the shared default broker, also where no application is started.
    async_shared_broker.default_broker(held)
    monkeypatch.setattr("app.tasks.connection.InMemoryBroker", lambda: held)
    monkeypatch.setattr("app.tasks.connection.run_scheduler_task", _never)
    return held


async def _never(*_arguments: object, **_options: object) -> None:
    await asyncio.Event().wait()
