"""The broker: a durable queue in RabbitMQ, of the kind that is kept on several nodes (quorum).

A task stays in the queue until it is done. When a worker dies its connection breaks, and what it
had is given to another one at once.
"""

from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from taskiq import AsyncBroker
from taskiq_aio_pika import AioPikaBroker, Exchange, Queue

from app.tasks.settings import TaskSettings
from app.tasks.unknown import KeepsUnknownTasks

OUTAGE = (*CONNECTION_EXCEPTIONS, TimeoutError)


class QueueBroker(KeepsUnknownTasks, AioPikaBroker):
    """The library's broker, which keeps what it does not know."""


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
