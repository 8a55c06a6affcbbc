"""RabbitMQ as the broker of the tests: the one that `RABBITMQ_URL` names, or a local one."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

import aio_pika

from tests.machinery.tasks.reachable import reachable


def server() -> AbstractContextManager[str]:
    """Return the URL of a broker; skip the test if none is running."""
    return reachable("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Delete the queue on exit."""
    yield
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for name in (queue, f"{queue}.dead"):
            await channel.queue_delete(name)
        await channel.exchange_delete(queue)
