"""The broker: Celery transports our messages and does nothing else with them.

Its retries are off, as they wait in the memory of a worker: `app.tasks.work` stores failed tasks.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog
from celery import Celery

from app.tasks.config import TaskSettings
from app.tasks.errors import TasksUnavailable
from app.tasks.task import Message, Sender
from app.tasks.transport import OUTAGE, transport

TASK = "execute"
THREADS = 8
"""The number of tasks that a process sends concurrently."""
TIMEOUT = 5
"""Seconds after which a task counts as not sent."""

logger = structlog.stdlib.get_logger("app.tasks")


class Broker(Sender):
    """Sends by Celery, which blocks: in threads, so that the event loop goes on."""

    def __init__(self, url: str, settings: TaskSettings) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "tasks")
        self._app = create_app(url, settings)

    async def deliver(self, message: Message) -> None:
        """Send a message.

        Raises:
            TasksUnavailable: the broker did not accept it in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TIMEOUT):
                await loop.run_in_executor(self._threads, self._enqueue, message)
        except (*OUTAGE, TimeoutError) as error:
            logger.warning("task not sent", reason=repr(error))
            raise TasksUnavailable from error

    def _enqueue(self, message: Message) -> None:
        self._app.send_task(TASK, [message.model_dump(mode="json")], shadow=message.name)

    async def close(self) -> None:
        """Stop the threads and close the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._app.close)


def create_app(url: str, settings: TaskSettings) -> Celery:
    """Configure Celery; it connects on first use."""
    app = Celery(set_as_current=False)
    app.conf.update(
        {
            "task_default_queue": settings.queue,
            # Celery's own names would let one service control the workers of another.
            "control_exchange": settings.queue,
            "event_exchange": f"{settings.queue}.events",
            "event_queue_prefix": f"{settings.queue}.events",
            "task_ignore_result": True,
            # Acknowledged any earlier, the tasks of a worker that is killed would be lost.
            "task_acks_late": True,
            "task_publish_retry": False,
            "worker_pool": "threads",
            "worker_concurrency": settings.concurrency,
            "worker_prefetch_multiplier": 1,
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,
            "broker_connection_timeout": 2,
            **transport(url, settings),
        }
    )
    return app
