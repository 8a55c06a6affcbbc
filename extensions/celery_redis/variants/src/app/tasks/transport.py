"""The transport: a list in Redis, which has to write to disk (`appendonly yes`).

What a worker took and did not finish is given to another one after `APP_TASKS_REDELIVERY_AFTER`
seconds.
"""

from math import ceil
from queue import Empty
from time import monotonic, time

from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.json import loads
from redis.exceptions import RedisError

from app.tasks.settings import TaskSettings

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
"""Puts back what was taken long ago, and notes what is seen for the first time."""


class QoS(redis.QoS):
    """Gives away what lost workers had."""

    channel: "Channel"

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Put back what was taken, and what was begun, by a worker that is gone."""
        super().restore_visible(start, num, interval)
        with self.channel.conn_or_acquire() as client:
            for queue in self.channel.active_queues:
                key = self.channel.global_keyprefix + queue
                client.eval(RESTORE, 1, key, time(), self.visibility_timeout)


class Channel(redis.Channel):
    """Takes a task in two steps, and never has it in one place only.

    kombu itself takes it out of Redis and then writes down there who has it: what dies in between,
    or stops (celery/celery#4354), loses it.
    """

    QoS = QoS

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Ask for a task; the answer is waited for elsewhere."""
        # All tasks are in one queue.
        for queue in self._queue_cycle.consume(1):
            self._in_poll = self.client.connection
            self._brpop_sent_at = monotonic()
            key = self.global_keyprefix + queue
            ends = ("RIGHT", "LEFT", timeout or self.brpop_timeout)
            self.client.connection.send_command("BLMOVE", key, f"{key}:taken", *ends)

    def _brpop_read(self) -> bool:
        """Hand on the task that came, which writes down who has it."""
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
    """Redis, without a moment in which a task can get lost."""

    Channel = Channel


def transport(url: str, settings: TaskSettings) -> dict[str, object]:
    """Celery's settings for this broker."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    return {
        "broker_url": url.replace("unix://", "redis+socket://", 1),
        # Only what waits for tasks takes them in two steps.
        "worker_enable_remote_control": False,
        "broker_transport_options": {
            "global_keyprefix": f"{settings.queue}:",
            # One list, for tasks are moved out of one at a time.
            "priority_steps": [0],
            "visibility_timeout": ceil(settings.redelivery_after),
            # As often as it is asked for tasks, not every tenth time: else it takes minutes more.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
        },
    }
