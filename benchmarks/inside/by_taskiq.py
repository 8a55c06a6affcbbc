"""The task of the benchmarks, as taskiq has it."""

import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from app.tasks.worker import worker_arguments
from brokers import stock
from effects import leave
from library import BROKER
from taskiq import AcknowledgeType, SendTaskError, TaskiqDepends
from taskiq.brokers.shared_broker import shared_task
from taskiq.cli.worker.args import WorkerArgs
from taskiq.cli.worker.run import run_worker

from app.db.session import Database
from app.tasks.connection import connected
from app.tasks.settings import TaskSettings

NOT_SENT = SendTaskError
DECISIVE = "late acknowledgement" if BROKER != "redis" else "a look for the tasks of lost workers"


@shared_task(task_name="bench:mark")
async def mark(key: str, seconds: float, database: Database = TaskiqDepends()) -> None:
    """Take a while, and have one effect."""
    await leave(database, key, seconds)


@asynccontextmanager
async def sending(
    settings: TaskSettings, database: Database
) -> AsyncGenerator[Callable[[str, float], Awaitable[object]]]:
    """Connect to the broker; yields what sends the task."""
    async with connected(settings, database):
        yield mark.kiq


def take_away() -> None:
    """Take away what keeps the tasks of killed workers."""
    os.environ["BENCH_WITHOUT"] = "1"


def without(arguments: WorkerArgs) -> WorkerArgs:
    """Take away what keeps the tasks."""
    stock()  # Redis is asked for tasks that were left behind only when a new one has come
    if BROKER == "redis":
        return arguments
    return replace(arguments, ack_type=AcknowledgeType.WHEN_RECEIVED)


def work() -> None:
    """Do tasks."""
    given = worker_arguments()
    sys.exit(run_worker(without(given) if "BENCH_WITHOUT" in os.environ else given))
