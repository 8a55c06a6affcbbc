"""The broker: a sorted set in Redis, which must persist to disk (`appendonly yes`).

arq transports our messages and does nothing else with them: `app.tasks.work` stores failed tasks.
"""

import asyncio
import json

import structlog
from arq import ArqRedis
from pydantic import JsonValue
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError

from app.tasks.config import TaskSettings
from app.tasks.errors import TasksUnavailable
from app.tasks.task import Message, Sender

JOB = "execute"
TIMEOUT = 5
"""Seconds after which a task counts as not sent."""
EXPIRY = 366 * 24 * 60 * 60 * 1000
"""Milliseconds after which arq drops a task that no worker has started."""
OUTAGE = (RedisError, OSError)

logger = structlog.stdlib.get_logger("app.tasks")


class Broker(Sender):
    """Sends by arq."""

    def __init__(self, url: str, settings: TaskSettings) -> None:
        self.redis = create_redis(url, settings)

    async def deliver(self, message: Message) -> None:
        """Send a message.

        Raises:
            TasksUnavailable: the broker did not accept it in time.
        """
        try:
            async with asyncio.timeout(TIMEOUT):
                await self.redis.enqueue_job(JOB, message.model_dump(mode="json"))
        except (*OUTAGE, TimeoutError) as error:
            logger.warning("task not sent", reason=repr(error))
            raise TasksUnavailable from error

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()


def create_redis(url: str, settings: TaskSettings) -> ArqRedis:
    """Configure arq's client; it connects on first use."""
    redis = ArqRedis.from_url(
        url,
        # After a restart of Redis the first use of an old connection fails.
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[NoConnection],
        socket_connect_timeout=2,
        socket_timeout=TIMEOUT,
    )
    redis.job_serializer, redis.job_deserializer = serialize, deserialize
    redis.default_queue_name = settings.queue
    redis.expires_extra_ms = EXPIRY
    return redis


def serialize(job: dict[str, JsonValue]) -> bytes:
    """Serialize a job as JSON: pickle, arq's default, would let Redis run code in workers."""
    return json.dumps(job).encode()


def deserialize(text: bytes) -> dict[str, JsonValue]:
    """Deserialize a job."""
    job: dict[str, JsonValue] = json.loads(text)
    return job
