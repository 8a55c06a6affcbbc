"""The broker: a durable queue in RabbitMQ, of the kind that is kept on several nodes (quorum).

A task stays in the queue until it is done. When a worker dies its connection breaks, and what it
had is given to another one at once.
"""

from collections.abc import AsyncGenerator
from functools import partial

import structlog
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from taskiq import AckableMessage, AsyncBroker
from taskiq_aio_pika import AioPikaBroker, Exchange, Queue
from taskiq_aio_pika.exceptions import NoStartupError

from app.tasks.assembly import KeepsUnknownTasks
from app.tasks.settings import TaskSettings

OUTAGE = (*CONNECTION_EXCEPTIONS, TimeoutError)

logger = structlog.stdlib.get_logger("app.tasks")


class QueueBroker(KeepsUnknownTasks, AioPikaBroker):
    """The library's broker for one queue, which says what becomes of a task in an outage."""

    async def listen(self) -> AsyncGenerator[AckableMessage]:
        """Yield tasks for ever; an outage is waited for."""
        if self.read_channel is None:
            raise NoStartupError
        await self.read_channel.set_qos(prefetch_count=self._qos)
        [(queue, _)] = await self._declare_queues(self.read_channel)
        async with queue.iterator() as messages:
            async for message in messages:
                yield AckableMessage(data=message.body, ack=partial(self._done, message))

    async def _done(self, message: AbstractIncomingMessage) -> None:
        try:
            await message.ack()
        except OUTAGE as error:
            logger.warning("task is done and will be done again", reason=str(error))


def create_broker(url: str, settings: TaskSettings) -> AsyncBroker:
    """Configure the broker; it connects when it is started."""
    return QueueBroker(
        url,
        qos=settings.concurrency,
        exchange=Exchange(name=settings.queue),
        task_queues=[Queue(name=settings.queue)],
        dead_letter_queue=Queue(name=f"{settings.queue}.dead"),
        timeout=5,
    )
