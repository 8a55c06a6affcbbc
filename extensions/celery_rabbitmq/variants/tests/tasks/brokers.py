"""The broker of the tests: the one that `RABBITMQ_URL` names, else the one on this machine."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from app.tasks.broker import create_app
from app.tasks.settings import TaskSettings
from tests.tasks.reachable import reachable


def broker_server() -> AbstractContextManager[str]:
    """The URL of a broker; skips the test if none answers."""
    return reachable("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    with create_app(url, TaskSettings(queue=queue)).connection_for_write() as connection:
        connection.default_channel.queue_delete(queue)
        connection.default_channel.exchange_delete(queue)
