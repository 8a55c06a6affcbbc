"""The connections of the service, and of the processes beside it, to the broker."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import structlog
from fastapi import Depends, Request
from pydantic import ValidationError

from app.db.session import Database
from app.tasks.broker import Broker
from app.tasks.errors import TasksUnavailable
from app.tasks.process import background, import_tasks, process_settings
from app.tasks.resources import open_database
from app.tasks.scheduler import tick
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, Sender, TaskContext
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


TasksDep = Annotated[Sender, Depends(get_tasks)]


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
async def opened_context(settings: TaskSettings, url: str) -> AsyncGenerator[TaskContext]:
    """The database and the broker of this process, closed at the end."""
    import_tasks()
    database = open_database()
    broker = Broker(url, settings)
    try:
        yield TaskContext(database, settings, broker)
    finally:
        await broker.close()
        await database.close()


@asynccontextmanager
async def delivering() -> AsyncGenerator[tuple[Database, Callable[[str], Awaitable[None]]]]:
    """The database, and how a stored message is sent, which raises `TasksUnavailable`."""
    async with opened_context(*process_settings()) as context:
        yield context.database, partial(deliver_text, context.tasks)


async def deliver_text(tasks: Sender, text: str) -> None:
    """Send a stored message.

    Raises:
        TasksUnavailable: it could not be sent, or not be read: another library may have written it.
    """
    try:
        message = Message.model_validate_json(text)
    except ValidationError as error:
        raise TasksUnavailable from error
    await tasks.deliver(message)
