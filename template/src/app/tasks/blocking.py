"""A broker whose library waits for the network: it is used in threads of its own."""

import asyncio
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor

import structlog

from app.tasks.errors import TasksUnavailable
from app.tasks.task import Message, Sender

THREADS = 8
"""Tasks that one process sends at a time."""
PATIENCE = 5
"""Seconds until a task counts as not sent."""

logger = structlog.stdlib.get_logger("app.tasks")


class BlockingBroker(Sender):
    """Sends without holding up the event loop."""

    outage: tuple[type[Exception], ...]
    """What the library raises when it does not reach the broker."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "tasks")

    async def deliver(self, message: Message) -> None:
        """Send a message.

        Raises:
            TasksUnavailable: the broker did not take it, or did not say so in time.
        """
        loop = asyncio.get_running_loop()
        not_sent: tuple[type[Exception], ...] = (*self.outage, TimeoutError)
        try:
            async with asyncio.timeout(PATIENCE):
                await loop.run_in_executor(self._threads, self.enqueue, message)
        except not_sent as error:
            logger.warning("task not sent", reason=repr(error))
            raise TasksUnavailable from error

    async def close(self) -> None:
        """Let go of the threads and the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self.disconnect)

    @abstractmethod
    def enqueue(self, message: Message) -> None:
        """Put a message into the queue, in a thread."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close the connections."""
