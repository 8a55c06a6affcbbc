"""The broker of the tests: the one that `REDIS_URL` names, else an embedded one."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from redis.asyncio import Redis

from app.tasks.broker import StreamBroker
from tools.embedded_redis import redis_of_tests


def broker_server() -> AbstractContextManager[str]:
    """The URL of a broker."""
    return redis_of_tests()


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    broker = StreamBroker(url)
    async with Redis(connection_pool=broker.connection_pool) as redis:
        await redis.delete(queue)
    await broker.shutdown()
