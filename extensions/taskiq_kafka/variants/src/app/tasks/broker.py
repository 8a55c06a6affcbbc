"""The broker: a topic in Kafka.

Kafka knows no tasks, only how far a group of workers has read. What is stored as read is therefore
never more than what is done: after a crash the tasks behind the oldest unfinished one run again.
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

from app.tasks.assembly import KeepsUnknownTasks
from app.tasks.settings import TaskSettings

COMMIT_EVERY = 0.5
"""Seconds."""
OUTAGE = (KafkaError, OSError, TimeoutError)

logger = structlog.stdlib.get_logger("app.tasks")


def create_broker(url: str, settings: TaskSettings) -> AsyncBroker:
    """Configure the broker for servers as `host:9092,host:9092`; it connects when it is started."""
    return KafkaBroker(url, settings)


class KafkaBroker(KeepsUnknownTasks):
    """Sends each task as a message, and commits what is done.

    An own one: taskiq-aio-kafka commits what was only read, and fails with kafka-python 3.
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
        """Connect; only a worker reads."""
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
            await self._start_reading()

    async def _start_reading(self) -> None:
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
        self._committing = asyncio.create_task(self._progress.commit_always())

    async def shutdown(self) -> None:
        """Commit what is done, and disconnect."""
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
        """Send a task; it returns when every replica in step has it.

        Raises:
            KafkaError: no server took it.
            TimeoutError: none answered.
        """
        if self._producer is None:
            sentence = "There is no connection to Kafka yet."
            raise ConnectionError(sentence)
        async with asyncio.timeout(5):
            await self._producer.send_and_wait(self._settings.queue, message.message)

    async def listen(self) -> AsyncGenerator[AckableMessage]:
        """Yield tasks for ever."""
        if self._consumer is None:
            sentence = "Only a worker listens."
            raise RuntimeError(sentence)
        async for record in self._consumer:
            done = self._progress.begin(record)
            if record.value is not None:
                yield AckableMessage(data=record.value, ack=done)


class Record(Protocol):
    """What is known of a message."""

    @property
    def topic(self) -> str:
        """The name of its topic."""
        ...

    @property
    def partition(self) -> int:
        """The number of its partition."""
        ...

    @property
    def offset(self) -> int:
        """Its place there."""
        ...

    @property
    def value(self) -> bytes | None:
        """Its content."""
        ...


class Progress(ConsumerRebalanceListener):
    """How far each partition is done: up to the oldest task that is not."""

    def __init__(self, consumer: AIOKafkaConsumer | None = None) -> None:
        self._consumer = consumer
        self._unfinished: dict[TopicPartition, set[int]] = {}
        self._read: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def begin(self, record: Record) -> "partial[None]":
        """Note that a task was read; returns what to call when it is done."""
        partition = TopicPartition(record.topic, record.partition)
        unfinished = self._unfinished.setdefault(partition, set())
        self._read[partition] = record.offset + 1
        if record.value is not None:
            unfinished.add(record.offset)
        # The set itself: after a rebalance the partition may be here again, with another one.
        return partial(unfinished.discard, record.offset)

    async def commit(self) -> None:
        """Store the progress, where there is some."""
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
            # What was not stored is done again: that is allowed.
            logger.warning("no commit", reason=str(error))

    async def commit_always(self) -> None:
        """Store the progress every moment."""
        while True:
            await asyncio.sleep(COMMIT_EVERY)
            await self.commit()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Store the progress while the partitions are still ours, and forget them."""
        await self.commit()
        for partition in revoked:
            for state in (self._unfinished, self._read, self._committed):
                state.pop(partition, None)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin anew: nothing of these was read yet."""
