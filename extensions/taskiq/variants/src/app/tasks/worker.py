"""A worker: `python -m app.tasks.worker`. Run as many as needed.

On SIGTERM it finishes its current tasks and exits.
"""

import asyncio
import sys

import structlog
from taskiq import AcknowledgeType, AsyncBroker, TaskiqEvents, TaskiqState
from taskiq.cli.worker.args import WorkerArgs
from taskiq.cli.worker.run import run_worker

from app.tasks.connection import connect_process
from app.tasks.process import heartbeat, process_settings

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Supervise one process that runs tasks; it is restarted if it dies."""
    sys.exit(run_worker(worker_arguments()))


def worker_arguments() -> WorkerArgs:
    """Return taskiq's options for a worker.

    Raises:
        ConfigurationError: no broker is configured.
    """
    settings, _ = process_settings()
    return WorkerArgs(
        broker="app.tasks.worker:worker",
        modules=[],
        configure_logging=False,
        workers=1,
        max_async_tasks=settings.concurrency,
        # Acknowledged any earlier, the tasks of a worker that is killed would be lost.
        ack_type=AcknowledgeType.WHEN_EXECUTED,
        wait_tasks_timeout=settings.time_limit,
    )


def worker() -> AsyncBroker:
    """Return the broker of the supervised process."""
    broker, _ = connect_process()
    broker.add_event_handler(TaskiqEvents.WORKER_STARTUP, _start_heartbeat)
    return broker


def _start_heartbeat(state: TaskiqState) -> None:
    logger.info("ready for tasks")
    state.heartbeat = asyncio.create_task(heartbeat())


if __name__ == "__main__":
    main()
