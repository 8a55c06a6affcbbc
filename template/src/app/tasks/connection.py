"""Connections to the broker: of the service, and of the processes beside it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import structlog
from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.db.session import Database
from app.tasks.broker import Broker
from app.tasks.config import TaskSettings
from app.tasks.process import background, import_tasks, open_database
from app.tasks.schedule import run_schedule
from app.tasks.task import Message, Sender, TaskContext
from app.tasks.work import execute

logger = structlog.stdlib.get_logger("app.tasks")


async def get_tasks(connection: HTTPConnection) -> Sender:
    """Return the application's sender."""
    tasks: Sender = connection.app.state.tasks
    return tasks


TasksDep = Annotated[Sender, Depends(get_tasks)]


def create_sender(settings: TaskSettings, database: Database) -> "Broker | LocalTasks":
    """Create a sender for the configured broker; without one, tasks run in this process."""
    if settings.broker_url:
        return Broker(settings.broker_url.get_secret_value(), settings)
    return LocalTasks(settings, database)


@asynccontextmanager
async def opened(sender: "Broker | LocalTasks") -> AsyncGenerator[None]:
    """Close the broker on exit; without a broker, run the schedule in this process."""
    if isinstance(sender, Broker):
        try:
            yield
        finally:
            await sender.close()
    else:
        logger.warning("no APP_TASKS_BROKER_URL: tasks run in this process and end with it")
        import_tasks()
        async with background(run_schedule(sender.context)):
            yield


class LocalTasks(Sender):
    """Runs tasks in the event loop of this process, for development."""

    def __init__(self, settings: TaskSettings, database: Database) -> None:
        self.context = TaskContext(database, settings, self)
        self._running = set[asyncio.Task[None]]()

    async def deliver(self, message: Message) -> None:
        """Start the task."""
        task = asyncio.create_task(execute(message, self.context))
        # The event loop holds weak references only.
        self._running.add(task)
        task.add_done_callback(self._running.discard)


@asynccontextmanager
async def opened_context(settings: TaskSettings, url: str) -> AsyncGenerator[TaskContext]:
    """Open the database and the broker for this process."""
    import_tasks()
    database = open_database()
    broker = Broker(url, settings)
    try:
        yield TaskContext(database, settings, broker)
    finally:
        await broker.close()
        await database.close()
