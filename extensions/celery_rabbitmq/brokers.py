"""The broker of the tests: the one that `RABBITMQ_URL` names, else the one on this machine."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from tests.tasks.reachable import reachable


def broker_server() -> AbstractContextManager[str]:
    """The URL of a broker; skips the test if none answers."""
    return reachable("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    with Connection(url) as connection:
        Queue(queue, channel=connection).delete()
        Exchange(queue, channel=connection).delete()
