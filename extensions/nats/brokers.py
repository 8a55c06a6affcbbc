"""The broker of the tests: the one that `NATS_URL` names, else the one on this machine."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from app.tasks.broker import create_broker
from app.tasks.settings import TaskSettings
from tests.tasks.reachable import require


@contextmanager
def broker_server() -> Generator[str]:
    """The URL of a broker; skips the test if none answers."""
    url = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
    require(url, "NATS_URL")
    yield url


@asynccontextmanager
async def cleaned(url: str, queue: str) -> AsyncGenerator[None]:
    """Leave nothing of the queue behind."""
    yield
    broker = create_broker(url, TaskSettings(queue=queue))
    await broker.startup()
    await broker.js.delete_stream(queue)
    await broker.shutdown()
