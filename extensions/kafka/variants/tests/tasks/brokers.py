"""The broker of the tests: the one that `KAFKA_URL` names, else librdkafka's mock cluster."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from confluent_kafka import Producer


@contextmanager
def broker_server() -> Generator[str]:
    """The address of a broker. The mock cluster speaks over TCP, and keeps nothing on disk."""
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
    """Topics stay: only those who run Kafka delete them."""
    yield
