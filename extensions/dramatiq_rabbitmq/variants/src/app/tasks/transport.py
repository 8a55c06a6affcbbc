"""The transport: a durable queue in RabbitMQ.

A task stays in the queue until it is done. When a worker dies its connection breaks, and what it
had is given to another one at once.
"""

from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import BrokerError

from app.tasks.settings import TaskSettings

OUTAGE = (BrokerError, OSError)


def create_transport(url: str, settings: TaskSettings) -> Broker:
    """Configure the library's broker; it connects when it is used."""
    del settings  # the connection says whether a worker lives, not a time
    return RabbitmqBroker(url=url, confirm_delivery=True, middleware=[])
