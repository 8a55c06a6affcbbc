"""The broker: a topic in Kafka.

Kafka does not acknowledge single messages; a consumer group commits an offset. The committed offset
is that of the oldest unfinished task: after a crash it runs again, and all tasks behind it.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import suppress
from functools import partial
from typing import Protocol

import structlog
from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.errors import KafkaError
from taskiq import AckableMessage, AsyncBroker, BrokerMessage

from app.tasks.config import TaskSettings
from app.tasks.middleware import KeepsUnknownTasks

COMMIT_INTERVAL = 0.5
"""Seconds."""
OUTAGE = (KafkaError, OSError, TimeoutError)

logger = structlog.stdlib.get_logger("app.tasks")


def create_broker(url: str, settings: TaskSettings) -> AsyncBroker:
    """Configure the broker for servers, separated by commas; it connects on startup."""
    return KafkaBroker(url, settings)


class KafkaBroker(KeepsUnknownTasks):
    """Sends tasks as messages, and commits what is finished.

    taskiq-aio-kafka is not used: it commits what was only read, and fails with kafka-python 3.
    """

    def __init__(self, servers: str, settings: TaskSettings) -> None:
        super().__init__()
        self._servers = servers
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._committing: asyncio.Task[None] | None = None
        self._progress = Progress()

    async def startup(self) -> None:
        """Connect; only a worker consumes."""
        await super().startup()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._servers, acks="all", enable_idempotence=True
        )
        try:
            await producer.start()
        except OUTAGE:
            await producer.stop()
            raise
        self._producer = producer
        if self.is_worker_process:
            await self._start_consumer()

    async def _start_consumer(self) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=self._settings.queue,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_interval_ms=round(self._settings.redelivery_after * 1000),
            max_poll_records=self._settings.concurrency,
            session_timeout_ms=6000,
        )
        self._progress = Progress(self._consumer)
        self._consumer.subscribe([self._settings.queue], listener=self._progress)
        await self._consumer.start()
        self._committing = asyncio.create_task(self._progress.commit_regularly())

    async def shutdown(self) -> None:
        """Commit what is finished, and disconnect."""
        await super().shutdown()
        if self._committing:
            self._committing.cancel()
            with suppress(asyncio.CancelledError):
                await self._committing
        if self._consumer:
            await self._progress.commit()
            await self._consumer.stop()
        if self._producer:
            await self._producer.stop()

    async def kick(self, message: BrokerMessage) -> None:
        """Send a task; returns once every in-sync replica has it.

        Raises:
            KafkaError: the cluster did not accept it.
            TimeoutError: there was no response in time.
        """
        if self._producer is None:
            raise ConnectionError("There is no connection to Kafka yet.")
        async with asyncio.timeout(5):
            await self._producer.send_and_wait(self._settings.queue, message.message)

    async def listen(self) -> AsyncGenerator[AckableMessage]:
        """Yield tasks."""
        if self._consumer is None:
            raise RuntimeError("Only a worker listens.")
        async for record in self._consumer:
            done = self._progress.begin(record)
            if record.value is not None:
                yield AckableMessage(data=record.value, ack=done)


class Record(Protocol):
    """A message, as far as progress depends on it."""

    @property
    def topic(self) -> str:
        """Its topic."""
        ...

    @property
    def partition(self) -> int:
        """Its partition."""
        ...

    @property
    def offset(self) -> int:
        """Its offset in the partition."""
        ...

    @property
    def value(self) -> bytes | None:
        """Its payload; None in a tombstone."""
        ...


class Progress(ConsumerRebalanceListener):
    """The offset of each partition up to which all tasks are finished."""

    def __init__(self, consumer: AIOKafkaConsumer | None = None) -> None:
        self._consumer = consumer
        self._unfinished: dict[TopicPartition, set[int]] = {}
        self._read: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def begin(self, record: Record) -> "partial[None]":
        """Note that a task was read; return the function that marks it as finished."""
        partition = TopicPartition(record.topic, record.partition)
        unfinished = self._unfinished.setdefault(partition, set())
        self._read[partition] = record.offset + 1
        if record.value is not None:
            unfinished.add(record.offset)
        # Bound to this set: after a rebalance the partition may be assigned again, with a new one.
        return partial(unfinished.discard, record.offset)

    async def commit(self) -> None:
        """Commit the progress since the last commit."""
        done = {
            partition: min(self._unfinished[partition], default=read)
            for partition, read in self._read.items()
        }
        moved = {p: offset for p, offset in done.items() if self._committed.get(p) != offset}
        if not moved or self._consumer is None:
            return
        try:
            await self._consumer.commit(moved)
            self._committed |= moved
        except OUTAGE as error:
            # Tasks may run twice: an uncommitted one is redelivered.
            logger.warning("offsets not committed", reason=str(error))

    async def commit_regularly(self) -> None:
        """Commit regularly, until cancelled."""
        while True:
            await asyncio.sleep(COMMIT_INTERVAL)
            await self.commit()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Commit while the partitions are still assigned, and forget them."""
        await self.commit()
        for partition in revoked:
            for state in (self._unfinished, self._read, self._committed):
                state.pop(partition, None)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Do nothing: of these partitions nothing has been read yet."""
