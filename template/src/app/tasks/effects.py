"""Effects that must come once, although a task may run more than once."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.tasks.models import TaskEffect


async def first_time(session: AsyncSession, key: str) -> bool:
    """Whether nobody did this before; with the caller's transaction it counts as done.

    A second task with the same key waits until that transaction has ended.
    """
    try:
        async with session.begin_nested():
            session.add(TaskEffect(key=key))
    except IntegrityError:
        return False
    return True
