"""The service's connection to the broker, over which it sends tasks."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Annotated

import structlog
from fastapi import Depends, Request

from app.core.database import Database
from app.tasks.broker import Broker
from app.tasks.clock import tick
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, Sender, TaskContext, import_tasks
from app.tasks.work import do

logger = structlog.stdlib.get_logger("app.tasks")


def create_sender(settings: TaskSettings, database: Database) -> "Broker | LocalTasks":
    """Where to send tasks: the broker that the settings name; without one, this process."""
    if settings.broker_url:
        return Broker(settings.broker_url.get_secret_value(), settings)
    return LocalTasks(settings, database)


@asynccontextmanager
async def opened(sender: "Broker | LocalTasks") -> AsyncGenerator[None]:
    """Let tasks be sent; without a broker they are also done here, and those that are due begun."""
    if isinstance(sender, Broker):
        try:
            yield
        finally:
            await sender.close()
    else:
        logger.warning("no APP_TASKS_BROKER_URL: tasks run in this process and end with it")
        import_tasks()
        async with background(tick(sender.context)):
            yield


async def get_tasks(request: Request) -> Sender:
    """Where the application sends tasks."""
    tasks: Sender = request.app.state.tasks
    return tasks


TasksDependency = Annotated[Sender, Depends(get_tasks)]


class LocalTasks(Sender):
    """Does tasks in this process, beside its other work."""

    def __init__(self, settings: TaskSettings, database: Database) -> None:
        self.context = TaskContext(database, settings, self)
        self._running = set[asyncio.Task[None]]()

    async def deliver(self, message: Message) -> None:
        """Begin the task."""
        task = asyncio.create_task(do(message, self.context))
        # The event loop itself keeps no reference that would keep it from being collected.
        self._running.add(task)
        task.add_done_callback(self._running.discard)


@asynccontextmanager
async def background(work: Coroutine[object, object, None]) -> AsyncGenerator[asyncio.Task[None]]:
    """Do something meanwhile; it is cancelled at the end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
