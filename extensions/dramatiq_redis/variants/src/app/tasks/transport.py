"""The transport: a list in Redis, which must persist to disk (`appendonly yes`).

A worker sends a heartbeat whenever it fetches tasks. The tasks of a worker whose heartbeats stop
are redelivered after `APP_TASKS_REDELIVERY_AFTER` seconds.
"""

from dramatiq import Broker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerError
from redis.exceptions import RedisError

from app.tasks.config import TaskSettings

OUTAGE = (BrokerError, RedisError, OSError)
MAINTENANCE_CHANCE = 1_000_000
"""Out of a million: every command searches for lost workers. dramatiq's default is 1,000."""


def create_transport(url: str, settings: TaskSettings) -> Broker:
    """Configure dramatiq's broker; it connects on first use."""
    return RedisBroker(
        url=url,
        namespace=f"dramatiq-{settings.queue}",
        heartbeat_timeout=round(settings.redelivery_after * 1000),
        maintenance_chance=MAINTENANCE_CHANCE,
        middleware=[],
    )
