"""The relay: `python -m app.outbox.relay` sends what is in the outbox. Several may run.

Each message is sent at least once, those of an aggregate in order. What cannot be sent stays.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import structlog
from sqlalchemy import delete

from app.core.config import get_settings
from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.outbox import delivery
from app.outbox.wakeup import POLL_INTERVAL, listening
from app.tasks.errors import TasksUnavailable

BATCH = 100
SEND_TIMEOUT = 5
RETRY_DELAY = 1
"""Seconds to wait while the database or the broker is unavailable."""

Deliver: TypeAlias = Callable[[str], Awaitable[None]]
"""Sends a stored message."""

logger = structlog.stdlib.get_logger("app.outbox")


def main() -> None:
    """Relay until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run())


async def _run() -> None:
    async with delivery() as (database, deliver), listening(get_settings()) as stored:
        await relay(database, deliver, stored)


async def relay(database: Database, deliver: Deliver, stored: asyncio.Event) -> None:
    """Send until cancelled; `stored` is set when there may be new messages."""
    while True:
        stored.clear()
        try:
            sent = await send_batch(database, deliver)
        except DatabaseUnavailable:
            await asyncio.sleep(RETRY_DELAY)
            continue
        if not sent:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_INTERVAL):
                    await stored.wait()


async def send_batch(database: Database, deliver: Deliver) -> int:
    """Send the first message of each aggregate, up to a batch; return how many were sent."""
    async with database.write.begin() as session:
        first = OutboxMessage.first_of_each_aggregate().limit(BATCH)
        messages = (await session.scalars(first)).all()
        results = await asyncio.gather(*(_send(deliver, message) for message in messages))
        sent = [message.id for message, ok in zip(messages, results, strict=True) if ok]
        if sent:
            await session.execute(delete(OutboxMessage).where(OutboxMessage.chosen(sent)))
    if len(sent) < len(messages):
        await asyncio.sleep(RETRY_DELAY)
    return len(sent)


async def _send(deliver: Deliver, stored: OutboxMessage) -> bool:
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await deliver(stored.message)
    except (TasksUnavailable, TimeoutError) as error:
        logger.warning("not sent", id=stored.id, reason=repr(error.__cause__ or error))
        return False
    return True


if __name__ == "__main__":
    main()
