"""The transport: a list in Redis, which has to write to disk (`appendonly yes`).

Every worker says that it is alive as often as it asks for tasks. What a silent one had is given to
another one after `APP_TASKS_REDELIVERY_AFTER` seconds.
"""

from dramatiq import Broker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

from app.tasks.settings import TaskSettings

OUTAGE = (BrokerError, RedisError, OSError)
MAINTENANCE_CHANCE = 1_000_000
"""Of a million commands, so each looks for workers that are gone. dramatiq's choice is 1,000."""


def create_transport(url: str, settings: TaskSettings) -> Broker:
    """Configure the library's broker; it connects when it is used."""
    return RedisBroker(
        url=url,
        namespace=f"dramatiq-{settings.queue}",
        heartbeat_timeout=round(settings.redelivery_after * 1000),
        maintenance_chance=MAINTENANCE_CHANCE,
        middleware=[],
    )
