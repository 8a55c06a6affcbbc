"""The transport: a durable queue in RabbitMQ, of the kind that is kept on several nodes (quorum).

A task stays in the queue until it is done. When a worker dies its connection breaks, and what it
had is given to another one at once.
"""

from kombu.exceptions import OperationalError

from app.tasks.settings import TaskSettings

OUTAGE = (OperationalError, OSError)


def transport(url: str, settings: TaskSettings) -> dict[str, object]:
    """Celery's settings for this broker."""
    del settings  # the connection says whether a worker lives, not a time
    return {
        "broker_url": url,
        "broker_transport_options": {"confirm_publish": True},
        "task_default_queue_type": "quorum",
        # Celery binds queues of this kind to its exchange for delays, and wants to use patterns.
        "task_default_exchange_type": "topic",
    }
