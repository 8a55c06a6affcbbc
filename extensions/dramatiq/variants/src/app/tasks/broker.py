"""The broker: dramatiq transports our messages and does nothing else with them.

Its retries and dead letters are off: `app.tasks.work` stores failed tasks.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import dramatiq
import structlog

from app.tasks.config import TaskSettings
from app.tasks.errors import TasksUnavailable
from app.tasks.task import Message, Sender
from app.tasks.transport import OUTAGE, create_transport

ACTOR = "execute"
THREADS = 8
"""The number of tasks that a process sends concurrently."""
TIMEOUT = 5
"""Seconds after which a task counts as not sent."""

logger = structlog.stdlib.get_logger("app.tasks")


class Broker(Sender):
    """Sends by dramatiq, which blocks: in threads, so that the event loop goes on."""

    def __init__(self, url: str, settings: TaskSettings) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "tasks")
        self._queue = settings.queue
        self._transport = create_transport(url, settings)
        self._transport.declare_queue(self._queue)

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
        arguments = (message.model_dump(mode="json"),)
        envelope = dramatiq.Message(
            queue_name=self._queue, actor_name=ACTOR, args=arguments, kwargs={}, options={}
        )
        self._transport.enqueue(envelope)

    async def close(self) -> None:
        """Stop the threads and close the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._transport.close)
