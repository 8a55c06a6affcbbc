"""What the processes beside the service have in common: settings, log, database, broker."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from pydantic import ValidationError

from app.core.config import ConfigurationError, get_settings, load_settings
from app.core.database import Database
from app.core.logging import configure_logging
from app.tasks.broker import Broker
from app.tasks.errors import TasksUnavailable
from app.tasks.resources import open_database
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, Sender, TaskContext, import_tasks


def process_settings() -> tuple[TaskSettings, str]:
    """The settings of tasks, and the broker's URL.

    Raises:
        ConfigurationError: there is no broker.
    """
    settings = get_settings()
    configure_logging(settings)
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)
    if not tasks.broker_url:
        sentence = "Nothing to do: without APP_TASKS_BROKER_URL the service does its tasks itself."
        raise ConfigurationError(sentence)
    return tasks, tasks.broker_url.get_secret_value()


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
