"""A worker with a task that records its effects: `python -m tests.machinery.taskiq.marking`."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from taskiq import AsyncBroker, TaskiqDepends, async_shared_broker
from taskiq.brokers.shared_broker import shared_task
from taskiq.cli.worker.run import start_listen

from app.db.session import Database
from app.tasks.broker import create_broker
from app.tasks.config import TaskSettings
from app.tasks.middleware import equip
from app.tasks.models import TaskEffect
from app.tasks.service import first_time
from app.tasks.worker import worker_arguments


@shared_task(task_name="test:mark")
async def mark(key: str, seconds: float, database: Database = TaskiqDepends()) -> None:
    """Record that it began, wait, and record that it is finished."""
    async with database.write.begin() as session:
        await session.merge(TaskEffect(key=f"{key} began"))
    await asyncio.sleep(seconds)
    async with database.write.begin() as session:
        await first_time(session, key)


def mark_by(broker: AsyncBroker) -> Callable[[str, float], Awaitable[object]]:
    """Return a function that sends the task."""
    return mark.kicker().with_broker(broker).kiq


@asynccontextmanager
async def opened(
    url: str, settings: TaskSettings, database: Database
) -> AsyncGenerator[AsyncBroker]:
    """Start a broker that sends to the queue of the settings."""
    broker = equip(create_broker(url, settings), settings, database)
    await broker.startup()
    async_shared_broker.default_broker(broker)
    try:
        yield broker
    finally:
        await broker.shutdown()


if __name__ == "__main__":
    start_listen(worker_arguments())
