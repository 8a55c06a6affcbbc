"""The transport: a list in Redis, which has to write to disk (`appendonly yes`).

What a worker took and did not finish is given to another one after `APP_TASKS_REDELIVERY_AFTER`
seconds.
"""

from math import ceil

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.tasks.settings import TaskSettings

OUTAGE = (OperationalError, RedisError, OSError)


def transport(url: str, settings: TaskSettings) -> dict[str, object]:
    """Celery's settings for this broker."""
    return {
        "broker_url": url.replace("unix://", "redis+socket://", 1),
        "broker_transport_options": {
            "global_keyprefix": f"{settings.queue}:",
            "visibility_timeout": ceil(settings.redelivery_after),
            # As often as it is asked for tasks, not every tenth time: else it takes minutes more.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
        },
    }
