"""A worker: `python -m app.tasks.worker`. Run as many as needed.

On SIGTERM it finishes its current tasks and exits.
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
from app.tasks.process import heartbeat, process_settings
from app.tasks.task import Message
from app.tasks.work import execute

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Run tasks until SIGTERM: Celery's threads wait for them, one event loop runs them all."""
    settings, url = process_settings()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(opened_context(settings, url)) as context,
    ):
        beating = portal.start_task_soon(heartbeat)

        def work(message: dict[str, JsonValue]) -> None:
            portal.call(execute, Message.model_validate(message), context)

        setup_logging.connect(keep_logging, weak=False)
        worker_ready.connect(log_ready, weak=False)
        app = create_app(url, settings)
        app.task(work, name=TASK)
        if os.getuid():
            # Celery takes a user whose group has no name for root.
            warnings.simplefilter("ignore", SecurityWarning)
        try:
            app.worker_main(["--quiet", "worker"])
        finally:
            beating.cancel()


def keep_logging(**_: object) -> None:
    """Keep Celery from configuring logging, and from logging two lines per task."""
    logging.getLogger("celery").setLevel(logging.WARNING)


def log_ready(**_: object) -> None:
    """Log that the worker is ready."""
    logger.info("ready for tasks")


if __name__ == "__main__":
    main()
