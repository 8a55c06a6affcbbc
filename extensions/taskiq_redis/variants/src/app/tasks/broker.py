"""The broker: a stream in Redis, which has to write to disk (`appendonly yes`).

A task stays in the stream until it is done. What a worker took and did not finish is given to
another one after `APP_TASKS_REDELIVERY_AFTER` seconds.
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

from app.tasks.assembly import KeepsUnknownTasks
from app.tasks.settings import TaskSettings

CLAIM_EVERY = 1
"""Seconds between two looks for tasks that were left behind."""
OUTAGE = (NoConnection, NoAnswer, ResponseError, OSError)

Messages: TypeAlias = list[tuple[bytes, dict[bytes, bytes]]]

logger = structlog.stdlib.get_logger("app.tasks")


def create_broker(url: str, settings: TaskSettings) -> AsyncBroker:
    """Configure the broker; it connects when it is started."""
    return StreamBroker(
        url,
        queue_name=settings.queue,
        consumer_group_name=settings.queue,
        # From the beginning: tasks may be sent before the first worker makes the group.
        consumer_id="0",
        xread_count=settings.concurrency,
        xread_block=1000,
        idle_timeout=round(settings.redelivery_after * 1000),
        # That the broker was started again shows when a connection from before is used.
        retry=Retry(NoBackoff(), 1),
        socket_connect_timeout=2,
        socket_timeout=5,
    )


class StreamBroker(KeepsUnknownTasks, RedisStreamBroker):
    """Takes over what is left behind also when nothing new comes, and deletes what is done."""

    _cursor: bytes | str = "0-0"
    _claimed_at = 0.0

    async def listen(self) -> AsyncGenerator[AckableMessage]:
        """Yield tasks for ever; an outage is waited for."""
        async with Redis(connection_pool=self.connection_pool) as redis:
            while True:
                for message_id, fields in await self._next(redis):
                    done = partial(self._done, redis, message_id)
                    yield AckableMessage(data=fields[b"data"], ack=done)

    async def _next(self, redis: Redis) -> Messages:
        try:
            if monotonic() - self._claimed_at > CLAIM_EVERY and (left := await self._claim(redis)):
                return left
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
            # A Redis that lost its data lost the group too.
            await self._try_to_declare()
            return []
        # What the client says of it covers both protocols of Redis.
        return dict(cast("list[tuple[bytes, Messages]]", found)).get(self.queue_name.encode(), [])

    async def _claim(self, redis: Redis) -> Messages:
        """Take over tasks whose worker is gone; to look at all may take several calls."""
        self._cursor, left, _ = await redis.xautoclaim(
            self.queue_name,
            self.consumer_group_name,
            self.consumer_name,
            min_idle_time=self.idle_timeout,
            start_id=self._cursor,
            count=self.count,
        )
        if self._cursor == b"0-0":
            self._claimed_at = monotonic()
        messages: Messages = left
        return messages

    async def _done(self, redis: Redis, message_id: bytes) -> None:
        pipe = redis.pipeline()
        pipe.xack(self.queue_name, self.consumer_group_name, message_id)
        pipe.xdel(self.queue_name, message_id)
        try:
            await pipe.execute()
        except OUTAGE as error:
            logger.warning("task is done and will be done again", reason=str(error))

    async def _try_to_declare(self) -> None:
        try:
            await self._declare_consumer_group()
        except OUTAGE:
            return
