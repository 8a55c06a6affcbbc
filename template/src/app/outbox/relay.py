"""The relay: `python -m app.outbox.relay` sends what is in the outbox. Several copies may run.

Each message is sent at least once, those about one thing in order. What cannot be sent stays.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import structlog
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import delete

from app.core.config import get_settings, load_settings
from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.wakeup import EVERY, listening
from app.tasks.connection import delivering
from app.tasks.errors import TasksUnavailable

BATCH = 100
SEND_TIMEOUT = 5
PAUSE = 1
"""Seconds to wait while the database or the broker is away."""

Deliver: TypeAlias = Callable[[str], Awaitable[None]]
"""How a stored message is sent."""

logger = structlog.stdlib.get_logger("app.outbox")


class OutboxSettings(BaseSettings):
    """Where to listen for new messages, if not at `APP_DATABASE_URL`."""

    model_config = SettingsConfigDict(
        env_prefix="APP_OUTBOX_", env_ignore_empty=True, extra="ignore"
    )

    listen_url: SecretStr | None = None


def main() -> None:
    """Send until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run())


async def _run() -> None:
    url = load_settings(OutboxSettings).listen_url or get_settings().database_url
    async with (
        delivering() as (database, deliver),
        listening(url.get_secret_value()) as stored,
    ):
        await relay(database, deliver, stored)


async def relay(database: Database, deliver: Deliver, stored: asyncio.Event) -> None:
    """Send for ever; `stored` is set when there is something new."""
    while True:
        stored.clear()
        try:
            sent = await send_batch(database, deliver)
        except DatabaseUnavailable:
            await asyncio.sleep(PAUSE)
            continue
        if not sent:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await stored.wait()


async def send_batch(database: Database, deliver: Deliver) -> int:
    """Send the first messages of some things, and forget those that were sent."""
    async with database.write.begin() as session:
        waiting = OutboxMessage.first_about_each().limit(BATCH)
        messages = (await session.scalars(waiting)).all()
        done = await asyncio.gather(*(_send(deliver, message) for message in messages))
        sent = [message.id for message, ok in zip(messages, done, strict=True) if ok]
        if sent:
            await session.execute(delete(OutboxMessage).where(OutboxMessage.chosen(sent)))
    if len(sent) < len(messages):
        await asyncio.sleep(PAUSE)
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
