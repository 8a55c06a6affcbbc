"""A worker with a task that records its effects: `python -m tests.machinery.queue.marking`."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from app.db.session import Database
from app.tasks.broker import Broker
from app.tasks.config import TaskSettings
from app.tasks.models import TaskEffect
from app.tasks.service import first_time
from app.tasks.task import Sender, TaskContext, task
from app.tasks.worker import main


@task("test:mark")
async def mark(context: TaskContext, key: str, seconds: float) -> None:
    """Record that it began, wait, and record that it is finished."""
    async with context.database.write.begin() as session:
        await session.merge(TaskEffect(key=f"{key} began"))
    await asyncio.sleep(seconds)
    async with context.database.write.begin() as session:
        await first_time(session, key)


def mark_by(sender: Sender) -> Callable[[str, float], Awaitable[None]]:
    """Return a function that sends the task."""

    async def send(key: str, seconds: float) -> None:
        await sender.send(mark, key, seconds)

    return send


@asynccontextmanager
async def opened(url: str, settings: TaskSettings, _: Database) -> AsyncGenerator[Broker]:
    """Open a broker that sends to the queue of the settings."""
    broker = Broker(url, settings)
    try:
        yield broker
    finally:
        await broker.close()


if __name__ == "__main__":
    main()
