"""Notifications of PostgreSQL, as asyncpg receives them."""

import asyncio
from collections.abc import Callable

import asyncpg

LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What is raised where there is no connection."""


async def listen(url: str, channel: str, notify: Callable[[], None]) -> None:
    """Call `notify` at each notification, as long as the connection lasts."""
    connection = await asyncpg.connect(url)
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        await connection.add_listener(channel, lambda *_: notify())
        await lost.wait()
    finally:
        await connection.close()
