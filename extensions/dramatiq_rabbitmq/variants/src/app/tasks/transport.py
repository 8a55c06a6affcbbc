"""The transport: a durable queue in RabbitMQ.

A task stays in the queue until it is acknowledged. When a worker dies, its connection closes and
its tasks are redelivered at once.
"""

from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import BrokerError

from app.tasks.config import TaskSettings

OUTAGE = (BrokerError, OSError)


def create_transport(url: str, settings: TaskSettings) -> Broker:
    """Configure dramatiq's broker; it connects on first use."""
    del settings  # a closed connection shows that a worker is lost, no timeout is needed
    return RabbitmqBroker(url=url, confirm_delivery=True, middleware=[])
