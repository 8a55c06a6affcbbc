"""Connections to the broker: of the service, and of the processes beside it."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import Depends
from fastapi.requests import HTTPConnection
from taskiq import AsyncBroker, InMemoryBroker, TaskiqEvents, TaskiqState, async_shared_broker
from taskiq.api import run_scheduler_task

from app.db.session import Database
from app.tasks.broker import OUTAGE, create_broker
from app.tasks.config import TaskSettings
from app.tasks.middleware import equip
from app.tasks.process import background, import_tasks, open_database, process_settings
from app.tasks.schedule import create_scheduler

CONNECT_TIMEOUT = 5
"""How many seconds the start of the service waits for the broker."""

logger = structlog.stdlib.get_logger("app.tasks")


async def get_tasks(connection: HTTPConnection) -> AsyncBroker:
    """Return the broker of the application."""
    broker: AsyncBroker = connection.app.state.tasks
    return broker


TasksDep = Annotated[AsyncBroker, Depends(get_tasks)]


@asynccontextmanager
async def connected(settings: TaskSettings, database: Database) -> AsyncGenerator[AsyncBroker]:
    """Connect to the configured broker; without one, run tasks in this process."""
    async with AsyncExitStack() as stack:
        if settings.broker_url:
            url = settings.broker_url.get_secret_value()
            broker = equip(create_broker(url, settings), settings, database)
            connecting = await stack.enter_async_context(background(connect(broker)))
            await asyncio.wait({connecting}, timeout=CONNECT_TIMEOUT)
        else:
            logger.warning("no APP_TASKS_BROKER_URL: tasks run in this process and end with it")
            import_tasks()
            broker = equip(InMemoryBroker(), settings, database)
            await broker.startup()
            scheduler = create_scheduler(broker, database)
            schedule = run_scheduler_task(scheduler, interval=timedelta(seconds=1))
            await stack.enter_async_context(background(schedule))
        stack.push_async_callback(broker.shutdown)
        async_shared_broker.default_broker(broker)
        yield broker


async def connect(broker: AsyncBroker) -> None:
    """Start the broker, retrying until it is reachable; until then sending fails."""
    while True:
        try:
            await broker.startup()
        except OUTAGE as error:
            logger.warning("no connection to the broker", reason=str(error))
            await asyncio.sleep(1)
        else:
            return


def connect_process() -> tuple[AsyncBroker, Database]:
    """Return the broker, not started yet, and the database, which is closed with it."""
    settings, url = process_settings()
    # It logs a line per task, which duplicates the one of the middleware.
    logging.getLogger("taskiq.receiver").setLevel(logging.WARNING)
    import_tasks()
    database = open_database()
    broker = equip(create_broker(url, settings), settings, database)

    async def close(_state: TaskiqState) -> None:
        await database.close()

    for event in (TaskiqEvents.WORKER_SHUTDOWN, TaskiqEvents.CLIENT_SHUTDOWN):
        broker.add_event_handler(event, close)
    return broker, database
