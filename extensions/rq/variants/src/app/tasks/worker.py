"""A worker: `python -m app.tasks.worker`, as many as you like; each does one task at a time.

On SIGTERM it takes no more tasks, finishes the one that it has, and ends.
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

from app.tasks.broker import JOB, SERIALIZER, create_queue
from app.tasks.connection import opened_context
from app.tasks.process import import_tasks, process_settings, touch_pulse
from app.tasks.settings import TaskSettings
from app.tasks.task import Message
from app.tasks.work import do

EVERY = 5
"""Seconds between two looks for tasks of lost workers; at most as many between signs of life."""
WORKER_TTL = 20
"""An idle worker waits 15 seconds less before it looks; RQ's own choice are seven minutes."""

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Do tasks until SIGTERM; an outage of Redis is waited for."""
    settings, url = process_settings()
    # Before a process is forked for each task, not after it; this module under its own name too.
    import_tasks()
    importlib.import_module(JOB.rpartition(".")[0])
    logger.info("ready for tasks")
    is_told_to_stop = False
    while not is_told_to_stop:
        try:
            worker = TaskWorker(url, settings)
            # It ends when it is told to stop, and when Redis is away.
            worker.work(logging_level="WARNING")
            is_told_to_stop = worker.is_told_to_stop
        except RedisError as error:
            logger.warning("no tasks from the broker", reason=str(error))
        sleep(0 if is_told_to_stop else 1)


def do_job(message: dict[str, JsonValue]) -> None:
    """Do the task that a message says, in the process that was forked for it."""
    asyncio.run(_do(Message.model_validate(message)))


async def _do(message: Message) -> None:
    async with opened_context(*process_settings()) as context:
        await do(message, context)


class TaskWorker(Worker):
    """RQ's worker, which forks a process for each task."""

    is_told_to_stop = False

    def __init__(self, url: str, settings: TaskSettings) -> None:
        redis, queue = create_queue(url, settings)
        super().__init__(
            [queue],
            connection=redis,
            serializer=SERIALIZER,
            worker_ttl=WORKER_TTL,
            maintenance_interval=EVERY,
            job_monitoring_interval=max(1, min(EVERY, round(settings.redelivery_after / 3))),
        )
        self._redelivery_after = ceil(settings.redelivery_after)

    def get_heartbeat_ttl(self, job: object, working_time: float = 0.0) -> int:
        """After how many seconds without a sign of life a task is given to another worker."""
        del job, working_time
        return self._redelivery_after

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Give a sign of life."""
        touch_pulse()
        super().heartbeat(timeout, pipeline)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Take no more tasks."""
        self.is_told_to_stop = True
        super().request_stop(signum, frame)


if __name__ == "__main__":
    main()
