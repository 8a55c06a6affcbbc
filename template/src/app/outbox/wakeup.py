"""When the relay looks into the outbox: told by PostgreSQL, and every second."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from app.outbox.notifications import LOST, listen

CHANNEL = "outbox"
EVERY = 1
"""Seconds between two looks without being told."""

logger = structlog.stdlib.get_logger("app.outbox")


async def announce(session: AsyncSession) -> None:
    """Wake the relays when the transaction is committed."""
    await session.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))


@asynccontextmanager
async def listening(url: str) -> AsyncGenerator[asyncio.Event]:
    """An event that is set when something was stored. The URL must not lead through a pooler."""
    event = asyncio.Event()
    task = asyncio.create_task(_listen(_plain(url), event))
    try:
        yield event
    finally:
        task.cancel()


async def _listen(url: str, event: asyncio.Event) -> None:
    while True:
        try:
            await listen(url, CHANNEL, event.set)
        except LOST as error:
            logger.warning("not told of new messages", reason=str(error))
        await asyncio.sleep(EVERY)


def _plain(url: str) -> str:
    """The URL as the driver itself reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
