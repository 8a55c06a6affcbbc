"""Waking the relay: this database has no notifications, so it polls."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.config import Settings

POLL_INTERVAL = 0.1
"""Seconds."""


async def announce(_session: AsyncSession) -> None:
    """Do nothing: the relay sees what was committed when it polls next."""


@asynccontextmanager
async def listening(_settings: Settings) -> AsyncGenerator[asyncio.Event]:
    """Yield an event that is never set."""
    yield asyncio.Event()
