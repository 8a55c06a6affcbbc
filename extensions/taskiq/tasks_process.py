"""What the processes beside the service have in common: settings, log, database, broker."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from pydantic import ValidationError
from taskiq import AsyncBroker, TaskiqEvents, TaskiqState

from app.core.config import ConfigurationError, get_settings, load_settings
from app.core.database import Database
from app.core.logging import configure_logging
from app.tasks.assembly import assemble, import_tasks
from app.tasks.broker import OUTAGE, create_broker
from app.tasks.connection import connect
from app.tasks.errors import TasksUnavailable
from app.tasks.resources import open_database
from app.tasks.settings import TaskSettings


def process_settings() -> tuple[TaskSettings, str]:
    """The settings of tasks, and the broker's URL.

    Raises:
        ConfigurationError: there is no broker.
    """
    settings = get_settings()
    configure_logging(settings)
    # It has a line for each task, which says less than ours and costs as much.
    logging.getLogger("taskiq.receiver").setLevel(logging.WARNING)
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)
    if not tasks.broker_url:
        sentence = "Nothing to do: without APP_TASKS_BROKER_URL the service does its tasks itself."
        raise ConfigurationError(sentence)
    return tasks, tasks.broker_url.get_secret_value()


def connect_process() -> tuple[AsyncBroker, Database]:
    """The broker, assembled, and the database, which is closed together with it."""
    tasks, url = process_settings()
    import_tasks()
    database = open_database()
    broker = assemble(create_broker(url, tasks), tasks, database)

    async def close(_state: TaskiqState) -> None:
        await database.close()

    for event in (TaskiqEvents.WORKER_SHUTDOWN, TaskiqEvents.CLIENT_SHUTDOWN):
        broker.add_event_handler(event, close)
    return broker, database


@asynccontextmanager
async def delivering() -> AsyncGenerator[tuple[Database, Callable[[str], Awaitable[None]]]]:
    """The database, and how a stored message is sent, which raises `TasksUnavailable`."""
    broker, database = connect_process()
    try:
        await connect(broker)
        yield database, partial(deliver_text, broker)
    finally:
        await broker.shutdown()


async def deliver_text(broker: AsyncBroker, text: str) -> None:
    """Send a stored message.

    Raises:
        TasksUnavailable: it could not be sent, or not be read: another library may have written it.
    """
    try:
        message = broker.formatter.loads(text.encode())
        await broker.kick(broker.formatter.dumps(message))
    except (*OUTAGE, ValidationError) as error:
        raise TasksUnavailable from error
