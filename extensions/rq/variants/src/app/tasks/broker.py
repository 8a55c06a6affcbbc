"""The broker: a list in Redis, which must persist to disk (`appendonly yes`).

RQ transports our messages. `app.tasks.work` stores failed tasks; RQ itself only redelivers the
tasks of lost workers.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import structlog
from redis import Redis, from_url
from redis.exceptions import RedisError
from rq import Queue, Retry

from app.tasks.config import TaskSettings
from app.tasks.errors import TasksUnavailable
from app.tasks.task import Message, Sender

JOB = "app.tasks.worker.execute_job"
"""The function that RQ calls, in a process of its own."""
SERIALIZER = "json"
"""RQ's default is pickle, with which write access to Redis would be access to run code here."""
LOST_WORKERS = 1000
"""After this many lost workers RQ gives a task up."""
THREADS = 8
"""The number of tasks that a process sends concurrently."""
TIMEOUT = 5
"""Seconds after which a task counts as not sent."""

logger = structlog.stdlib.get_logger("app.tasks")


class Broker(Sender):
    """Sends by RQ, which blocks: in threads, so that the event loop goes on."""

    def __init__(self, url: str, settings: TaskSettings) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "tasks")
        self._redis, self._queue = create_queue(url, settings)
        self._job_timeout = ceil(settings.redelivery_after)

    async def deliver(self, message: Message) -> None:
        """Send a message.

        Raises:
            TasksUnavailable: the broker did not accept it in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TIMEOUT):
                await loop.run_in_executor(self._threads, self._enqueue, message)
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("task not sent", reason=repr(error))
            raise TasksUnavailable from error

    def _enqueue(self, message: Message) -> None:
        self._queue.enqueue_call(
            JOB,
            args=(message.model_dump(mode="json"),),
            description=message.name,
            # Our own limit is lower; this one ends a task that blocks the event loop.
            timeout=self._job_timeout,
            # RQ 3.0 cannot end a redelivered task whose result is not kept, and repeats it forever.
            result_ttl=1,
            retry=Retry(LOST_WORKERS),
        )

    async def close(self) -> None:
        """Stop the threads and close the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._redis.close)


def create_queue(url: str, settings: TaskSettings) -> tuple[Redis, Queue]:
    """Configure RQ's queue and its client, which connects on first use."""
    redis = from_url(url, socket_connect_timeout=2, socket_timeout=5)
    return redis, Queue(settings.queue, connection=redis, serializer=SERIALIZER)
