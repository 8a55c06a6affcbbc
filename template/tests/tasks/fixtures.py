"""The tasks that a test sends are held, until the test runs them as a worker would."""

import asyncio
from collections.abc import Sequence

import pytest
from pydantic import JsonValue
from sqlalchemy import select

from app.db.session import Database
from app.tasks.config import TaskSettings
from app.tasks.errors import TasksUnavailable
from app.tasks.models import FailedTask
from app.tasks.task import Message, Sender, TaskContext
from app.tasks.work import execute


class HeldTasks(Sender):
    """A sender that holds what the application sends."""

    def __init__(self) -> None:
        self.held: list[Message] = []
        self.is_away = False

    async def deliver(self, message: Message) -> None:
        """Hold the task.

        Raises:
            TasksUnavailable: if `is_away`.
        """
        if self.is_away:
            raise TasksUnavailable
        self.held.append(message)

    def names(self) -> list[str]:
        """The names of the held tasks."""
        return [message.name for message in self.held]

    def request_ids(self) -> list[str | None]:
        """The IDs of the requests that sent them."""
        return [message.request_id for message in self.held]

    def arguments(self) -> list[list[JsonValue]]:
        """Their arguments."""
        return [[*message.arguments.values()] for message in self.held]

    async def do_all(self, database: Database, settings: TaskSettings | None = None) -> None:
        """Run the held tasks, as a worker does."""
        context = TaskContext(database, settings or TaskSettings(), self)
        waiting, self.held = self.held, []
        for message in waiting:
            await execute(message, context)


async def failed_tasks(database: Database) -> Sequence[FailedTask]:
    """The failed tasks in the database."""
    async with database.read() as session:
        return (await session.scalars(select(FailedTask))).all()


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> HeldTasks:
    """The tasks that the application sends in this test."""
    held = HeldTasks()
    monkeypatch.setattr("app.tasks.connection.LocalTasks.deliver", held.deliver)
    monkeypatch.setattr("app.tasks.connection.run_schedule", _never)
    return held


async def _never(_: TaskContext) -> None:
    await asyncio.Event().wait()
