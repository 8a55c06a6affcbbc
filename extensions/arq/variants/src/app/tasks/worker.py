"""A worker: `python -m app.tasks.worker`, as many as you like.

On SIGTERM it takes no more tasks, finishes those that it has, and ends.
"""

import asyncio
import logging
import sys
from contextlib import suppress
from math import ceil

import structlog
from arq import Worker, func
from pydantic import JsonValue

from app.tasks.broker import JOB, OUTAGE, create_redis, deserialize, serialize
from app.tasks.connection import opened_context
from app.tasks.process import background, beat, process_settings
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, TaskContext
from app.tasks.work import do

POLL_EVERY = 0.1
"""Seconds between two looks for tasks."""

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Do tasks until SIGTERM."""
    asyncio.run(_run(*process_settings()))


async def _run(settings: TaskSettings, url: str) -> None:
    # It has two lines for each task, which say less than ours.
    logging.getLogger("arq").setLevel(logging.WARNING)
    stopped = asyncio.Event()
    async with opened_context(settings, url) as context, background(beat()):
        logger.info("ready for tasks")
        while not stopped.is_set():
            worker = create_worker(url, context, stopped)
            try:
                # It ends when it is told to stop, and when Redis is away.
                with suppress(asyncio.CancelledError):
                    await worker.async_run()
            except OUTAGE as error:
                logger.warning("no tasks from the broker", reason=str(error))
                await asyncio.wait([*worker.tasks.values(), asyncio.create_task(asyncio.sleep(1))])
            await worker.pool.aclose()


def create_worker(url: str, context: TaskContext, stopped: asyncio.Event) -> Worker:
    """Configure arq's worker; it takes over the process' signals."""

    async def work(_: object, message: dict[str, JsonValue]) -> None:
        await do(Message.model_validate(message), context)

    settings = context.settings
    worker = Worker(
        [func(work, name=JOB)],
        queue_name=settings.queue,
        redis_pool=create_redis(url, settings),
        max_jobs=settings.concurrency,
        poll_delay=POLL_EVERY,
        # Our own limit is lower; what arq ends by its own is lost.
        job_timeout=ceil(settings.redelivery_after),
        job_completion_wait=ceil(settings.time_limit),
        # Each death of a worker is a try: no number of them may lose a task.
        max_tries=sys.maxsize,
        keep_result=0,
        job_serializer=serialize,
        job_deserializer=deserialize,
    )
    # Its own choice is ten seconds more than the longest job.
    worker.in_progress_timeout_s = settings.redelivery_after
    worker.on_stop = lambda _: stopped.set()
    return worker


if __name__ == "__main__":
    main()
