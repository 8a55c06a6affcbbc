"""The transport: a list in Redis, which must persist to disk (`appendonly yes`).

The tasks of a lost worker are redelivered after `APP_TASKS_REDELIVERY_AFTER` seconds.
"""

from math import ceil
from queue import Empty
from time import monotonic, time

from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.json import loads
from redis.exceptions import RedisError

from app.tasks.config import TaskSettings

OUTAGE = (OperationalError, RedisError, OSError)

RESTORE = """
local now, limit, prefix = tonumber(ARGV[1]), tonumber(ARGV[2]), KEYS[1]
local taken, since = prefix .. ":taken", prefix .. ":taken-since"
local there = {}
for _, message in ipairs(redis.call("LRANGE", taken, 0, -1)) do
    there[message] = true
    redis.call("ZADD", since, "NX", now, message)
    if now - tonumber(redis.call("ZSCORE", since, message)) > limit then
        redis.call("LREM", taken, 1, message)
        redis.call("RPUSH", prefix, message)
    end
end
for _, message in ipairs(redis.call("ZRANGE", since, 0, -1)) do
    if not there[message] then redis.call("ZREM", since, message) end
end
"""
"""Requeues the messages taken longer ago than the limit, and notes when each was first seen."""


class QoS(redis.QoS):
    """Requeues the tasks of lost workers."""

    channel: "Channel"

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Requeue what lost workers have not acknowledged, recorded or not."""
        super().restore_visible(start, num, interval)
        with self.channel.conn_or_acquire() as client:
            for queue in self.channel.active_queues:
                key = self.channel.global_keyprefix + queue
                client.eval(RESTORE, 1, key, time(), self.visibility_timeout)


class Channel(redis.Channel):
    """Fetches a task in two steps, so that Redis has it at every moment.

    kombu itself pops the task and then records it as unacknowledged: a worker that dies or stops in
    between (celery/celery#4354) loses it.
    """

    QoS = QoS

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Request a task; `_brpop_read` reads the response."""
        # There is one queue only.
        for queue in self._queue_cycle.consume(1):
            self._in_poll = self.client.connection
            self._brpop_sent_at = monotonic()
            key = self.global_keyprefix + queue
            ends = ("RIGHT", "LEFT", timeout or self.brpop_timeout)
            self.client.connection.send_command("BLMOVE", key, f"{key}:taken", *ends)

    def _brpop_read(self) -> bool:
        """Read the task and pass it on, which records it as unacknowledged."""
        try:
            message = self.client.parse_response(self.client.connection, "BLMOVE")
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        finally:
            self._in_poll = None
        if message is None:
            raise Empty
        [queue] = self.active_queues
        self.connection.on_message_ready(self, loads(message), queue)
        with self.conn_or_acquire() as client:
            client.lrem(f"{self.global_keyprefix}{queue}:taken", 1, message)
        return True


class Transport(redis.Transport):
    """kombu's transport for Redis, with this channel."""

    Channel = Channel


def transport(url: str, settings: TaskSettings) -> dict[str, object]:
    """Return Celery's settings for this broker."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    return {
        "broker_url": url.replace("unix://", "redis+socket://", 1),
        # The channel does not support the queues of remote control.
        "worker_enable_remote_control": False,
        "broker_transport_options": {
            "global_keyprefix": f"{settings.queue}:",
            # One list: BLMOVE reads from a single one.
            "priority_steps": [0],
            "visibility_timeout": ceil(settings.redelivery_after),
            # Search for lost workers at every poll; the default, every tenth, takes minutes.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
        },
    }
