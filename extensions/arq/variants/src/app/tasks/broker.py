"""The broker: a sorted set in Redis, which has to write to disk (`appendonly yes`).

arq carries messages of ours, and does nothing else with them: it does not try again what failed.
`app.tasks.work` stores it.
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

from app.tasks.errors import TasksUnavailable
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, Sender

JOB = "do"
PATIENCE = 5
"""Seconds until a task counts as not sent."""
KEPT = 366 * 24 * 60 * 60 * 1000
"""Milliseconds that a task may wait. arq forgets what nobody has begun by then."""
OUTAGE = (RedisError, OSError)

logger = structlog.stdlib.get_logger("app.tasks")


class Broker(Sender):
    """Sends by arq."""

    def __init__(self, url: str, settings: TaskSettings) -> None:
        self.redis = create_redis(url, settings)

    async def deliver(self, message: Message) -> None:
        """Send a message.

        Raises:
            TasksUnavailable: the broker did not take it, or did not say so in time.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                await self.redis.enqueue_job(JOB, message.model_dump(mode="json"))
        except (*OUTAGE, TimeoutError) as error:
            logger.warning("task not sent", reason=repr(error))
            raise TasksUnavailable from error

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()


def create_redis(url: str, settings: TaskSettings) -> ArqRedis:
    """Configure arq's client; it connects when it is used."""
    redis = ArqRedis.from_url(
        url,
        # That Redis was started again shows when a connection from before is used.
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[NoConnection],
        socket_connect_timeout=2,
        socket_timeout=PATIENCE,
    )
    redis.job_serializer, redis.job_deserializer = serialize, deserialize
    redis.default_queue_name = settings.queue
    redis.expires_extra_ms = KEPT
    return redis


def serialize(job: dict[str, JsonValue]) -> bytes:
    """Make JSON of a job. Not pickle, arq's choice: who can write to Redis could run code here."""
    return json.dumps(job).encode()


def deserialize(text: bytes) -> dict[str, JsonValue]:
    """Read a job."""
    job: dict[str, JsonValue] = json.loads(text)
    return job
