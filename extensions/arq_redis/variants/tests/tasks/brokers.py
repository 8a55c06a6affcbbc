"""The broker of the tests: the one that `REDIS_URL` names, else an embedded one."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from arq import ArqRedis

from tools.embedded_redis import redis_of_tests

DELETE = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"


def broker_server() -> AbstractContextManager[str]:
    """The URL of a broker."""
    return redis_of_tests()


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    async with ArqRedis.from_url(url) as redis:
        await redis.eval(DELETE, 0, f"*{queue}*")
