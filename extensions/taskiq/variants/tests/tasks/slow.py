"""A worker's process with a task that only tests need: `python -m tests.tasks.slow`."""

import asyncio
from collections.abc import Awaitable, Callable

from taskiq import AsyncBroker, TaskiqDepends
from taskiq.brokers.shared_broker import shared_task
from taskiq.cli.worker.run import start_listen

from app.db.session import Database
from app.tasks.effects import first_time
from app.tasks.models import TaskEffect
from app.tasks.worker import worker_arguments


@shared_task(task_name="tests:mark")
async def mark(key: str, seconds: float, database: Database = TaskiqDepends()) -> None:
    """Say that it began, take a while, and have one effect."""
    async with database.write.begin() as session:
        await session.merge(TaskEffect(key=f"{key} began"))
    await asyncio.sleep(seconds)
    async with database.write.begin() as session:
        await first_time(session, key)


def mark_by(broker: AsyncBroker) -> Callable[[str, float], Awaitable[object]]:
    """What sends the task by a broker."""
    return mark.kicker().with_broker(broker).kiq


if __name__ == "__main__":
    start_listen(worker_arguments())
