"""The transport: a durable queue in RabbitMQ, of the kind that is kept on several nodes (quorum).

A task stays in the queue until it is done. When a worker dies its connection breaks, and what it
had is given to another one at once.
"""

from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError

from app.tasks.settings import TaskSettings

OUTAGE = (OperationalError, OSError)


def transport(url: str, settings: TaskSettings) -> dict[str, object]:
    """Celery's settings for this broker."""
    name = settings.queue
    arguments = {"x-queue-type": "quorum"}
    return {
        "broker_url": url,
        "broker_transport_options": {"confirm_publish": True},
        "task_queues": [Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments)],
        "task_default_exchange": name,
        "task_default_routing_key": name,
    }
