"""The transport: a quorum queue in RabbitMQ.

A task stays in the queue until it is acknowledged. When a worker dies, its connection closes and
its tasks are redelivered at once.
"""

from kombu.exceptions import OperationalError

from app.tasks.config import TaskSettings

OUTAGE = (OperationalError, OSError)


def transport(url: str, settings: TaskSettings) -> dict[str, object]:
    """Return Celery's settings for this broker."""
    del settings  # a closed connection shows that a worker is lost, no timeout is needed
    return {
        "broker_url": url,
        "broker_transport_options": {"confirm_publish": True},
        "task_default_queue_type": "quorum",
        # Celery binds quorum queues to its delayed-delivery exchange by a pattern.
        "task_default_exchange_type": "topic",
    }
