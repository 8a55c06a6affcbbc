"""The broker of the tests: the one that `REDIS_URL` names, else an embedded one."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from redis.asyncio import Redis

from app.tasks.broker import StreamBroker
from tools.embedded_redis import redis_server


@contextmanager
def broker_server() -> Generator[str]:
    """The URL of a broker."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
    else:
        with redis_server("test") as url:
            yield url


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    broker = StreamBroker(url)
    async with Redis(connection_pool=broker.connection_pool) as redis:
        await redis.delete(queue)
    await broker.shutdown()
