"""A worker: `python -m app.tasks.worker`, as many as you like.

On SIGTERM it takes no more tasks, finishes those that it has, and ends.
"""

import signal
from threading import Event

import dramatiq
import structlog
from anyio.from_thread import start_blocking_portal
from pydantic import JsonValue

from app.tasks.broker import ACTOR
from app.tasks.connection import opened_context
from app.tasks.process import beat, process_settings
from app.tasks.task import Message
from app.tasks.transport import create_transport
from app.tasks.work import do

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Do tasks until SIGTERM: each waits in a thread, while all run in one event loop."""
    settings, url = process_settings()
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(opened_context(settings, url)) as context,
    ):
        pulse = portal.start_task_soon(beat)

        def work(message: dict[str, JsonValue]) -> None:
            portal.call(do, Message.model_validate(message), context)

        transport = create_transport(url, settings)
        dramatiq.actor(work, actor_name=ACTOR, queue_name=settings.queue, broker=transport)
        worker = dramatiq.Worker(transport, worker_threads=settings.concurrency)
        worker.start()
        logger.info("ready for tasks")
        stopped.wait()
        worker.stop(timeout=round(settings.time_limit * 1000))
        transport.close()
        pulse.cancel()


if __name__ == "__main__":
    main()
