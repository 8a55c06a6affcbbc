"""A worker's process with a task that only tests need: `python -m tests.tasks.slow`."""

import asyncio
from collections.abc import Awaitable, Callable

from app.tasks.models import TaskEffect
from app.tasks.service import first_time
from app.tasks.task import Sender, TaskContext, task
from app.tasks.worker import main


@task("tests:mark")
async def mark(context: TaskContext, key: str, seconds: float) -> None:
    """Say that it began, take a while, and have one effect."""
    async with context.database.write.begin() as session:
        await session.merge(TaskEffect(key=f"{key} began"))
    await asyncio.sleep(seconds)
    async with context.database.write.begin() as session:
        await first_time(session, key)


def mark_by(sender: Sender) -> Callable[[str, float], Awaitable[None]]:
    """What sends the task."""

    async def send(key: str, seconds: float) -> None:
        await sender.send(mark, key, seconds)

    return send


if __name__ == "__main__":
    main()
