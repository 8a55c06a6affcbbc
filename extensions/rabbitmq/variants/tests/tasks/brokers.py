"""The broker of the tests: the one that `RABBITMQ_URL` names, else the one on this machine."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

import aio_pika

from tests.tasks.reachable import reachable


def broker_server() -> AbstractContextManager[str]:
    """The URL of a broker; skips the test if none answers."""
    return reachable("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for name in (queue, f"{queue}.dead"):
            await channel.queue_delete(name)
        await channel.exchange_delete(queue)
