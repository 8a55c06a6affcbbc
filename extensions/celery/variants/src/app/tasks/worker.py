"""A worker: `python -m app.tasks.worker`, as many as you like.

On SIGTERM it takes no more tasks, finishes those that it has, and ends.
"""

import logging
import os
import warnings

import structlog
from anyio.from_thread import start_blocking_portal
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_ready
from pydantic import JsonValue

from app.tasks.broker import TASK, create_app
from app.tasks.connection import opened_context
from app.tasks.process import beat, process_settings
from app.tasks.task import Message
from app.tasks.work import do

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Do tasks until SIGTERM: each waits in a thread, while all run in one event loop."""
    settings, url = process_settings()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(opened_context(settings, url)) as context,
    ):
        pulse = portal.start_task_soon(beat)

        def work(message: dict[str, JsonValue]) -> None:
            portal.call(do, Message.model_validate(message), context)

        setup_logging.connect(keep_logging, weak=False)
        worker_ready.connect(tell_ready, weak=False)
        app = create_app(url, settings)
        app.task(work, name=TASK)
        if os.getuid():
            # Celery takes a user whose group has no name for root.
            warnings.simplefilter("ignore", SecurityWarning)
        try:
            app.worker_main(["--quiet", "worker"])
        finally:
            pulse.cancel()


def keep_logging(**_: object) -> None:
    """Have Celery leave the log as it is; its two lines for each task say less than ours."""
    logging.getLogger("celery").setLevel(logging.WARNING)


def tell_ready(**_: object) -> None:
    """Say that there is a worker."""
    logger.info("ready for tasks")


if __name__ == "__main__":
    main()
