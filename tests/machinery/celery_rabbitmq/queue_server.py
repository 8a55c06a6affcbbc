"""RabbitMQ as the broker of the tests: the one that `RABBITMQ_URL` names, or a local one."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from app.tasks.broker import create_app
from app.tasks.config import TaskSettings
from tests.machinery.tasks.reachable import reachable


def server() -> AbstractContextManager[str]:
    """Return the URL of a broker; skip the test if none is running."""
    return reachable("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Delete the queue on exit."""
    yield
    with create_app(url, TaskSettings(queue=queue)).connection_for_write() as connection:
        connection.default_channel.queue_delete(queue)
        for suffix in ("", ".events", ".pidbox"):
            connection.default_channel.exchange_delete(f"{queue}{suffix}")
        connection.default_channel.exchange_delete(f"reply.{queue}.pidbox")
