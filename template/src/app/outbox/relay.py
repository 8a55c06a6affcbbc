"""The relay: `python -m app.outbox.relay` sends what is in the outbox. Several may run.

Each message is sent at least once, those of an aggregate in order. What cannot be sent is retried,
and in the end becomes a failed task, which `python -m app.tasks.failed` sends again.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeAlias

import structlog
from sqlalchemy import delete

from app.core.config import get_settings
from app.db.base import utc_now
from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.outbox import delivery, given_up
from app.outbox.wakeup import POLL_INTERVAL, listening
from app.tasks.errors import TasksUnavailable

BATCH = 100
SEND_TIMEOUT = 5
RETRY_DELAY = 1
"""Seconds to wait while the database or the broker is unavailable.

Also the delay before a message is retried, which doubles with each attempt.
"""
LONGEST_DELAY = 60
ATTEMPTS = 1440
"""With these delays a message is retried for a day, which an outage should not exceed."""

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
    """Send the messages that are due, up to a batch; return how many were sent."""
    async with database.write.begin() as session:
        messages = (await session.scalars(OutboxMessage.due(utc_now()).limit(BATCH))).all()
        sending = (_send(deliver, message) for message in messages)
        errors = await asyncio.gather(*sending, return_exceptions=True)
        outcomes = [*zip(messages, errors, strict=True)]
        done = [message.id for message, error in outcomes if not error]
        sent = len(done)
        for message, error in outcomes:
            if error and not _postpone(message, error):
                await session.merge(given_up(message, error))
                done.append(message.id)
        if done:
            await session.execute(delete(OutboxMessage).where(OutboxMessage.chosen(done)))
    if messages and not sent:
        await asyncio.sleep(RETRY_DELAY)
    return sent


async def _send(deliver: Deliver, message: OutboxMessage) -> None:
    async with asyncio.timeout(SEND_TIMEOUT):
        await deliver(message.message)


def _postpone(message: OutboxMessage, error: BaseException) -> bool:
    """Set when a message is retried; False if that is of no use, or was its last attempt."""
    message.attempts += 1
    details = {"id": message.id, "attempt": message.attempts}
    # Any other error is the message's own: it cannot be read, for instance.
    is_outage = isinstance(error, (TasksUnavailable, TimeoutError))
    if not is_outage or message.attempts >= ATTEMPTS:
        # The failed task has the whole error, which may quote the message.
        logger.error("message given up", **details, reason=type(error).__name__)
        return False
    logger.warning("not sent", **details, reason=repr(error.__cause__ or error))
    delay = min(RETRY_DELAY * 2 ** (message.attempts - 1), LONGEST_DELAY)
    message.retry_at = utc_now() + timedelta(seconds=delay)
    return True


if __name__ == "__main__":
    main()
