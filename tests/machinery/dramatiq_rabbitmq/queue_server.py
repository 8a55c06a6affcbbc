"""RabbitMQ as the broker of the tests: the one that `RABBITMQ_URL` names, or a local one."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.machinery.tasks.reachable import reachable


def server() -> AbstractContextManager[str]:
    """Return the URL of a broker; skip the test if none is running."""
    return reachable("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Delete the queue on exit."""
    yield
    broker = RabbitmqBroker(url=url, confirm_delivery=True, middleware=[])
    for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
        broker.channel.queue_delete(name)
    broker.close()
