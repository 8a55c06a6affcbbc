"""A worker: `python -m app.tasks.worker`. Run as many as needed; each runs one task at a time.

On SIGTERM it finishes its current task and exits.
"""

import asyncio
import importlib
from math import ceil
from time import sleep
from types import FrameType

import structlog
from pydantic import JsonValue
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Worker

from app.tasks.broker import SERIALIZER, create_queue
from app.tasks.config import TaskSettings
from app.tasks.connection import opened_context
from app.tasks.process import import_tasks, process_settings, touch_heartbeat
from app.tasks.task import Message
from app.tasks.work import execute

INTERVAL = 5
"""Seconds between two searches for lost workers, and the longest between two heartbeats."""
WORKER_TTL = 20
"""An idle worker blocks 15 seconds less before it searches; with RQ's default it is 405 seconds."""

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Run tasks until SIGTERM; reconnects after an outage of Redis."""
    settings, url = process_settings()
    # Imported once here, not in each process that is forked; this module under its own name too.
    import_tasks()
    importlib.import_module("app.tasks.worker")
    logger.info("ready for tasks")
    is_stopped = False
    while not is_stopped:
        try:
            worker = TaskWorker(url, settings)
            # It returns when it is told to stop, and raises when Redis is unavailable.
            worker.work(logging_level="WARNING")
            is_stopped = worker.is_stopped
        except RedisError as error:
            logger.warning("no tasks from the broker", reason=str(error))
        sleep(0 if is_stopped else 1)


def execute_job(message: dict[str, JsonValue]) -> None:
    """Run the task of a message, in the process that was forked for it."""
    asyncio.run(_execute(Message.model_validate(message)))


async def _execute(message: Message) -> None:
    async with opened_context(*process_settings()) as context:
        await execute(message, context)


class TaskWorker(Worker):
    """RQ's worker, which forks a process for each task."""

    is_stopped = False

    def __init__(self, url: str, settings: TaskSettings) -> None:
        redis, queue = create_queue(url, settings)
        super().__init__(
            [queue],
            connection=redis,
            serializer=SERIALIZER,
            worker_ttl=WORKER_TTL,
            maintenance_interval=INTERVAL,
            job_monitoring_interval=max(1, min(INTERVAL, round(settings.redelivery_after / 3))),
        )
        self._redelivery_after = ceil(settings.redelivery_after)

    def get_heartbeat_ttl(self, job: object, working_time: float = 0.0) -> int:
        """Return after how many seconds without a heartbeat a task is redelivered."""
        del job, working_time
        return self._redelivery_after

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Update both heartbeats: in Redis, and the file for the health check."""
        touch_heartbeat()
        super().heartbeat(timeout, pipeline)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Note that the worker is to stop."""
        self.is_stopped = True
        super().request_stop(signum, frame)


if __name__ == "__main__":
    main()
