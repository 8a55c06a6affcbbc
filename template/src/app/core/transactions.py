"""A transaction that is tried again when the database gave up on it for another one's sake."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Database
from app.core.unavailable import TransactionConflict

Result = TypeVar("Result")

ATTEMPTS = 3


async def in_transaction(
    database: Database, work: Callable[[AsyncSession], Awaitable[Result]]
) -> Result:
    """Do `work` in a transaction of its own and commit it; after a deadlock do it again.

    For work that locks rows in an order that others may cross. All of it may happen up to three
    times, so it must do nothing but use its session. What it returns is returned.

    Raises:
        TransactionConflict: the database gave up on the last attempt too.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return await _once(database, work)
        except TransactionConflict:
            # Two that came into each other's way should not meet again at the same moment.
            await asyncio.sleep(attempt * secrets.randbelow(50) / 1000)
    return await _once(database, work)


async def _once(database: Database, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    async with database.write() as session:
        result = await work(session)
        await session.commit()
        return result
