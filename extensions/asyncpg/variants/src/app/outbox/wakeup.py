"""Waking the relay: by notifications of PostgreSQL, and every second."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.config import Settings, load_settings
from app.outbox.config import OutboxSettings

POLL_INTERVAL = 1
"""Seconds after which the relay looks without a notification."""

logger = structlog.stdlib.get_logger("app.outbox")


async def announce(session: AsyncSession) -> None:
    """Notify the relays when the transaction commits."""
    await session.execute(text("SELECT pg_notify('outbox', '')"))


@asynccontextmanager
async def listening(settings: Settings) -> AsyncGenerator[asyncio.Event]:
    """Yield an event that each notification sets."""
    event = asyncio.Event()
    task = asyncio.create_task(_listen(_connect_args(settings), event))
    try:
        yield event
    finally:
        task.cancel()


async def _listen(connect_args: Mapping[str, Any], event: asyncio.Event) -> None:
    while True:
        try:
            await _set_on_notification(connect_args, event)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            logger.warning("no notifications of new messages", reason=str(error))
        await asyncio.sleep(POLL_INTERVAL)


async def _set_on_notification(connect_args: Mapping[str, Any], event: asyncio.Event) -> None:
    """Set the event at each notification, until the connection is lost."""
    connection = await asyncpg.connect(**connect_args)
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        await connection.add_listener("outbox", lambda *_: event.set())
        await lost.wait()
    finally:
        await connection.close()


def _connect_args(settings: Settings) -> Mapping[str, Any]:
    """Arguments of the driver's connect()."""
    secret = load_settings(OutboxSettings).listen_url or settings.database_url
    url = make_url(secret.get_secret_value())
    return url.get_dialect()().create_connect_args(url)[1]
