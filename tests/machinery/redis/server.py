"""Redis for tests: the one that `REDIS_URL` names, or an embedded one."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from redis.asyncio import from_url

from tools.embedded_redis import redis_of_tests

DELETE = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"


def server() -> AbstractContextManager[str]:
    """Return its URL."""
    return redis_of_tests()


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Delete the keys of a queue on exit."""
    yield
    async with from_url(url) as redis:
        await redis.eval(DELETE, 0, f"*{queue}*")
