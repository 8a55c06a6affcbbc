"""The service's connection to the broker, over which it sends tasks."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import structlog
from taskiq import AsyncBroker, InMemoryBroker, async_shared_broker
from taskiq.api import run_scheduler_task

from app.core.database import Database
from app.tasks.assembly import assemble, import_tasks
from app.tasks.broker import OUTAGE, create_broker
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
