"""The broker: a stream in NATS JetStream, on disk.

A task stays in the stream until it is done. What a worker took and did not finish is given to
another one after `APP_TASKS_REDELIVERY_AFTER` seconds.
"""

from collections.abc import AsyncGenerator

import structlog
from anyio import sleep
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from taskiq import AckableMessage
from taskiq_nats import PullBasedJetStreamBroker

from app.tasks.assembly import KeepsUnknownTasks
from app.tasks.settings import TaskSettings

OUTAGE = (NatsError, OSError, TimeoutError)

logger = structlog.stdlib.get_logger("app.tasks")


class StreamBroker(KeepsUnknownTasks, PullBasedJetStreamBroker):
    """The library's broker, which goes on when there is nothing to do, and after an outage."""

    async def listen(self) -> AsyncGenerator[AckableMessage]:
        """Yield tasks for ever; an outage is waited for."""
        while True:
            try:
                messages = await self.consumer.fetch(
                    self.pull_consume_batch, timeout=self.pull_consume_timeout
                )
            # Nothing new: sometimes NATS' own error, sometimes the built-in one that it comes of.
            except TimeoutError:
                continue
            except OUTAGE as error:
                logger.warning("no tasks from the broker", reason=str(error))
                await sleep(1)
                continue
            for message in messages:
                yield AckableMessage(data=message.data, ack=message.ack)


def create_broker(url: str, settings: TaskSettings) -> StreamBroker:
    """Configure the broker; it connects when it is started."""
    return StreamBroker(
        url,
        subject=settings.queue,
        stream_name=settings.queue,
        durable=settings.queue,
        stream_config=StreamConfig(retention=RetentionPolicy.WORK_QUEUE, storage=StorageType.FILE),
        consumer_config=ConsumerConfig(
            durable_name=settings.queue,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=settings.redelivery_after,
            max_ack_pending=-1,
        ),
        pull_consume_batch=settings.concurrency,
        pull_consume_timeout=1,
        max_reconnect_attempts=-1,
        connect_timeout=2,
    )
