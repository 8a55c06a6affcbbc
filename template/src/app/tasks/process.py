"""What the processes beside the service have in common: settings, log, database, broker."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from pydantic import ValidationError

from app.core.config import ConfigurationError, get_settings, load_settings
from app.core.database import Database
from app.core.logging import configure_logging
from app.tasks.broker import Broker
from app.tasks.errors import TasksUnavailable
from app.tasks.resources import open_database
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, TaskContext, import_tasks


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

        async def deliver(text: str) -> None:
            try:
                message = Message.model_validate_json(text)
            except ValidationError as error:
                # It stays until somebody looks: it may be from before a change of the library.
                raise TasksUnavailable from error
            await context.tasks.deliver(message)

        yield context.database, deliver
