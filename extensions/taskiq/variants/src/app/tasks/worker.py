"""A worker: `python -m app.tasks.worker`, as many as you like.

On SIGTERM it takes no more tasks, finishes those that it has, and ends.
"""

import asyncio
import sys

import structlog
from taskiq import AcknowledgeType, AsyncBroker, TaskiqEvents, TaskiqState
from taskiq.cli.worker.args import WorkerArgs
from taskiq.cli.worker.run import run_worker

from app.tasks.connection import connect_process
from app.tasks.process import beat, process_settings

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Watch over one process that does tasks; a new one is started when it dies."""
    sys.exit(run_worker(worker_arguments()))


def worker_arguments() -> WorkerArgs:
    """What taskiq has to know of a worker.

    Raises:
        ConfigurationError: there is no broker.
    """
    settings, _ = process_settings()
    return WorkerArgs(
        broker="app.tasks.worker:worker",
        modules=[],
        configure_logging=False,
        workers=1,
        max_async_tasks=settings.concurrency,
        # Not before: what a killed worker had would be lost.
        ack_type=AcknowledgeType.WHEN_EXECUTED,
        wait_tasks_timeout=settings.time_limit,
    )


def worker() -> AsyncBroker:
    """The broker of the process that does tasks."""
    broker, _ = connect_process()
    broker.add_event_handler(TaskiqEvents.WORKER_STARTUP, _start_pulse)
    return broker


def _start_pulse(state: TaskiqState) -> None:
    logger.info("ready for tasks")
    state.pulse = asyncio.create_task(beat())


if __name__ == "__main__":
    main()
