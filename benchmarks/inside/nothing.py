"""A worker whose task does nothing: `python nothing.py ours`.

With `minimum` it is what the library's documentation begins with: a broker that knows its URL, and
the command without options. With `silent` it is that library with our settings of the broker, and
without a line in the log.
"""

import json
import logging
import os
import sys
from pathlib import Path
from time import monotonic, process_time

from brokers import minimal_broker, stock
from taskiq import AcknowledgeType
from taskiq.brokers.shared_broker import shared_task
from taskiq.cli.worker.args import WorkerArgs
from taskiq.cli.worker.run import start_listen

from app.tasks.broker import create_broker
from app.tasks.config import TaskSettings
from app.tasks.worker import worker_arguments

TASKS = 5_000
times: list[tuple[float, float]] = []


@shared_task(task_name="bench:nothing")
async def nothing() -> None:
    """Note the time, and the processor's time."""
    times.append((monotonic(), process_time()))
    if len(times) == TASKS:
        tell()


def tell() -> None:
    """Write down how long it took from the first to the last."""
    seconds = [last - first for first, last in zip(times[0], times[-1], strict=True)]
    Path(os.environ["BENCH_RESULT"]).write_text(json.dumps(seconds))


def minimal_arguments() -> WorkerArgs:
    """Return the library's broker with its own settings, in one process as ours."""
    settings = TaskSettings()
    broker = minimal_broker(settings.broker_url.get_secret_value(), settings.queue)
    return WorkerArgs(broker=broker, modules=[], workers=1)


def silent_arguments() -> WorkerArgs:
    """Return the library's broker with the project's settings; nothing around it."""
    settings = TaskSettings()
    stock()
    return WorkerArgs(
        broker=create_broker(settings.broker_url.get_secret_value(), settings),
        modules=[],
        configure_logging=False,
        max_async_tasks=settings.concurrency,
        ack_type=AcknowledgeType.WHEN_EXECUTED,
    )


ARGUMENTS = {"ours": worker_arguments, "minimum": minimal_arguments, "silent": silent_arguments}


if __name__ == "__main__":
    given = ARGUMENTS[sys.argv[1]]()
    if given.configure_logging:
        # As the command does before it starts this process.
        logging.basicConfig(level=given.log_level, format=given.log_format, stream=sys.stdout)
    start_listen(given)
