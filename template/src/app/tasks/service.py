"""What the database keeps of tasks: those that failed, and effects that must happen only once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import SystemRandom

import structlog
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import utc_now
from app.db.errors import ConstraintViolated, DatabaseUnavailable
from app.db.session import Database
from app.tasks.config import TaskSettings
from app.tasks.models import FailedTask, TaskEffect

LONGEST_DELAY = 3600
"""Seconds."""

logger = structlog.stdlib.get_logger("app.tasks")


async def first_time(session: AsyncSession, key: str) -> bool:
    """Record an effect in the session's transaction; False if it has been recorded before.

    A concurrent task with the same key waits until that transaction has ended.
    """
    try:
        async with session.begin_nested():
            session.add(TaskEffect(key=key))
    except ConstraintViolated:
        return False
    return True


async def store(database: Database, failed: FailedTask) -> None:
    """Store a failed task; retries while the database is unavailable."""
    while True:
        try:
            async with database.write.begin() as session:
                await session.merge(failed)
        except DatabaseUnavailable:
            await asyncio.sleep(1)
        else:
            return


def next_attempt(attempt: int, attempts: int, settings: TaskSettings) -> datetime | None:
    """Return when a failed task is retried; None if that was its last attempt."""
    if attempt >= attempts:
        logger.error("task given up", attempt=attempt)
        return None
    # Beyond that exponent the delay is the longest one; a float would overflow at 1024.
    delay = min(settings.retry_delay * 2.0 ** min(attempt - 1, 64), LONGEST_DELAY)
    # Jitter: tasks that failed together should not all be retried at the same moment.
    return utc_now() + timedelta(seconds=delay * SystemRandom().uniform(1, 1.25))


async def resend(session: AsyncSession, ids: Sequence[str]) -> int:
    """Have the scheduler send these tasks again, with all attempts; return their number."""
    tasks = (await session.scalars(select(FailedTask).where(_chosen(ids)))).all()
    for task in tasks:
        task.retry_at, task.attempt = utc_now(), 0
    return len(tasks)


async def forget(session: AsyncSession, ids: Sequence[str]) -> int:
    """Delete these failed tasks; return their number."""
    tasks = (await session.scalars(select(FailedTask).where(_chosen(ids)))).all()
    for task in tasks:
        await session.delete(task)
    return len(tasks)


def _chosen(ids: Sequence[str]) -> ColumnElement[bool]:
    return FailedTask.given_up() if "all" in ids else FailedTask.chosen(ids)
