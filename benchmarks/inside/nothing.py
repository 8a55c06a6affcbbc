"""A worker whose task does nothing: `python nothing.py ours`.

With `bare` it is taskiq alone, which is silent, and with `logging` it logs as its command does.
"""

import json
import logging
import os
import sys
from pathlib import Path
from time import monotonic, process_time

from brokers import stock
from taskiq import AcknowledgeType
from taskiq.brokers.shared_broker import shared_task
from taskiq.cli.worker.args import WorkerArgs
from taskiq.cli.worker.run import start_listen

from app.tasks.broker import create_broker
from app.tasks.settings import TaskSettings
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


def bare_arguments() -> WorkerArgs:
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


if __name__ == "__main__":
    given = worker_arguments() if sys.argv[1] == "ours" else bare_arguments()
    if sys.argv[1] == "logging":
        logging.basicConfig(level=given.log_level, format=given.log_format, stream=sys.stdout)
    start_listen(given)
