"""The broker of the tests: the one that `NATS_URL` names, else the one on this machine."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager

from app.tasks.broker import create_broker
from app.tasks.settings import TaskSettings
from tests.tasks.reachable import reachable


def broker_server() -> AbstractContextManager[str]:
    """The URL of a broker; skips the test if none answers."""
    return reachable("NATS_URL", "nats://127.0.0.1:4222")


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    broker = create_broker(url, TaskSettings(queue=queue))
    await broker.startup()
    await broker.js.delete_stream(queue)
    await broker.shutdown()
