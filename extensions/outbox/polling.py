"""When the relay looks into the outbox: many times a second, for this database tells nobody."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

EVERY = 0.1
"""Seconds between two looks."""


async def announce(_session: AsyncSession) -> None:
    """Nobody can be told: the relay sees what was committed at its next look."""


@asynccontextmanager
async def listening(_url: str) -> AsyncGenerator[asyncio.Event]:
    """An event that is never set."""
    yield asyncio.Event()
