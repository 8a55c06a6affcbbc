"""Notifications of PostgreSQL, as psycopg receives them."""

from collections.abc import Callable
from typing import LiteralString

from psycopg import AsyncConnection, OperationalError

LOST = (OperationalError, OSError)
"""What is raised where there is no connection, or none any more."""


async def listen(url: str, channel: LiteralString, notify: Callable[[], None]) -> None:
    """Call `notify` at each notification, as long as the connection lasts."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(f"LISTEN {channel}")
        async for _ in connection.notifies():
            notify()
