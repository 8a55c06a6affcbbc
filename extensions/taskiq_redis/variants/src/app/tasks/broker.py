"""The broker: a stream in Redis, which must persist to disk (`appendonly yes`).

A task stays in the stream until it is acknowledged. If its worker is lost, it is redelivered after
`APP_TASKS_REDELIVERY_AFTER` seconds.
"""

from collections.abc import AsyncGenerator
from functools import partial
from time import monotonic
from typing import TypeAlias, cast

import structlog
from anyio import sleep
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NoAnswer
from taskiq import AckableMessage, AsyncBroker
from taskiq_redis import RedisStreamBroker

from app.tasks.config import TaskSettings
from app.tasks.middleware import KeepsUnknownTasks

CLAIM_INTERVAL = 1
"""Seconds between two searches for the tasks of lost workers."""
OUTAGE = (NoConnection, NoAnswer, ResponseError, OSError)

Messages: TypeAlias = list[tuple[bytes, dict[bytes, bytes]]]

logger = structlog.stdlib.get_logger("app.tasks")


def create_broker(url: str, settings: TaskSettings) -> AsyncBroker:
    """Configure the broker; it connects on startup."""
    return StreamBroker(
        url,
        queue_name=settings.queue,
        consumer_group_name=settings.queue,
        # From the beginning: tasks may be sent before the first worker creates the group.
        consumer_id="0",
        xread_count=settings.concurrency,
        xread_block=1000,
        idle_timeout=round(settings.redelivery_after * 1000),
        # After a restart of Redis the first use of an old connection fails.
        retry=Retry(NoBackoff(), 1),
        socket_connect_timeout=2,
        socket_timeout=5,
    )


class StreamBroker(KeepsUnknownTasks, RedisStreamBroker):
    """Claims the tasks of lost workers also when no new ones arrive, and deletes finished ones."""

    _cursor: bytes | str = "0-0"
    _claimed_at = 0.0

    async def listen(self) -> AsyncGenerator[AckableMessage]:
        """Yield tasks; reconnects after an outage."""
        async with Redis(connection_pool=self.connection_pool) as redis:
            while True:
                for message_id, fields in await self._next(redis):
                    done = partial(self._done, redis, message_id)
                    yield AckableMessage(data=fields[b"data"], ack=done)

    async def _next(self, redis: Redis) -> Messages:
        try:
            is_due = monotonic() - self._claimed_at > CLAIM_INTERVAL
            if is_due and (claimed := await self._claim(redis)):
                return claimed
            found = await redis.xreadgroup(
                self.consumer_group_name,
                self.consumer_name,
                {self.queue_name: ">"},
                count=self.count,
                block=self.block,
            )
        except OUTAGE as error:
            logger.warning("no tasks from the broker", reason=str(error))
            await sleep(1)
            # If Redis has lost its data, the group is gone too.
            await self._try_to_declare()
            return []
        # The client's annotation covers both protocols of Redis.
        return dict(cast("list[tuple[bytes, Messages]]", found)).get(self.queue_name.encode(), [])

    async def _claim(self, redis: Redis) -> Messages:
        """Claim the tasks of lost workers; it may take several calls to scan them all."""
        self._cursor, claimed, _ = await redis.xautoclaim(
            self.queue_name,
            self.consumer_group_name,
            self.consumer_name,
            min_idle_time=self.idle_timeout,
            start_id=self._cursor,
            count=self.count,
        )
        if self._cursor == b"0-0":
            self._claimed_at = monotonic()
        messages: Messages = claimed
        return messages

    async def _done(self, redis: Redis, message_id: bytes) -> None:
        pipe = redis.pipeline()
        pipe.xack(self.queue_name, self.consumer_group_name, message_id)
        pipe.xdel(self.queue_name, message_id)
        try:
            await pipe.execute()
        except OUTAGE as error:
            logger.warning("task not acknowledged, it will run again", reason=str(error))

    async def _try_to_declare(self) -> None:
        try:
            await self._declare_consumer_group()
        except OUTAGE:
            return
