"""The connections of the service, and of the processes beside it, to the broker."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from pydantic import ValidationError
from taskiq import AsyncBroker, InMemoryBroker, TaskiqEvents, TaskiqState, async_shared_broker
from taskiq.api import run_scheduler_task

from app.db.session import Database
from app.tasks.assembly import assemble
from app.tasks.broker import OUTAGE, create_broker
from app.tasks.errors import TasksUnavailable
from app.tasks.process import background, import_tasks, process_settings
from app.tasks.resources import open_database
from app.tasks.scheduler import create_scheduler
from app.tasks.settings import TaskSettings

PATIENCE = 5
"""Seconds that the start of the service waits for the broker."""

logger = structlog.stdlib.get_logger("app.tasks")


@asynccontextmanager
async def connected(settings: TaskSettings, database: Database) -> AsyncGenerator[None]:
    """Send tasks to the broker that the settings name; without one, do them in this process."""
    async with AsyncExitStack() as stack:
        if settings.broker_url:
            url = settings.broker_url.get_secret_value()
            broker = assemble(create_broker(url, settings), settings, database)
            connecting = await stack.enter_async_context(background(connect(broker)))
            await asyncio.wait({connecting}, timeout=PATIENCE)
        else:
            logger.warning("no APP_TASKS_BROKER_URL: tasks run in this process and end with it")
            import_tasks()
            broker = assemble(InMemoryBroker(), settings, database)
            await broker.startup()
            scheduler = create_scheduler(broker, database)
            schedule = run_scheduler_task(scheduler, interval=timedelta(seconds=1))
            await stack.enter_async_context(background(schedule))
        stack.push_async_callback(broker.shutdown)
        async_shared_broker.default_broker(broker)
        yield


async def connect(broker: AsyncBroker) -> None:
    """Start the broker; as long as it is away, sending fails and this goes on trying."""
    while True:
        try:
            await broker.startup()
        except OUTAGE as error:
            logger.warning("no connection to the broker", reason=str(error))
            await asyncio.sleep(1)
        else:
            return


def connect_process() -> tuple[AsyncBroker, Database]:
    """The broker, assembled, and the database, which is closed together with it."""
    tasks, url = process_settings()
    # It has a line for each task, which says less than ours and costs as much.
    logging.getLogger("taskiq.receiver").setLevel(logging.WARNING)
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
