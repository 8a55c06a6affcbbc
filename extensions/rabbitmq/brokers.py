"""The broker of the tests: the one that `RABBITMQ_URL` names, else the one on this machine."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import aio_pika

from tests.tasks.reachable import require


@contextmanager
def broker_server() -> Generator[str]:
    """The URL of a broker; skips the test if none answers."""
    url = os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")
    require(url, "RABBITMQ_URL")
    yield url


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for name in (queue, f"{queue}.dead"):
            await channel.queue_delete(name)
        await channel.exchange_delete(queue)
