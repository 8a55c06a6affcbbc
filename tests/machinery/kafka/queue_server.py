"""Kafka for tests: the cluster that `KAFKA_URL` names, or the mock cluster of librdkafka."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from confluent_kafka import Producer


@contextmanager
def server() -> Generator[str]:
    """Yield its address. The mock cluster listens on TCP, and keeps its data in memory."""
    given = os.environ.get("KAFKA_URL")
    if given:
        yield given
        return
    cluster = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1})
    metadata = cluster.list_topics(timeout=10)
    [broker] = metadata.brokers.values()
    yield f"{broker.host}:{broker.port}"
    cluster.flush()


@asynccontextmanager
async def cleaned(_url: str, _queue: str) -> AsyncGenerator[None]:
    """Leave the topic: deleting one is up to the administrators of the cluster."""
    yield
