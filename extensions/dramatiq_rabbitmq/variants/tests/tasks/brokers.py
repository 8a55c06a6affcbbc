"""The broker of the tests: the one that `RABBITMQ_URL` names, else the one on this machine."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.tasks.reachable import reachable


def broker_server() -> AbstractContextManager[str]:
    """The URL of a broker; skips the test if none answers."""
    return reachable("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    broker = RabbitmqBroker(url=url, confirm_delivery=True, middleware=[])
    for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
        broker.channel.queue_delete(name)
    broker.close()
