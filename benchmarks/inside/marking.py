"""A worker whose task has one effect and notes its attempts: `python marking.py`.

With `BENCH_WITHOUT` in the environment it goes without what keeps the tasks of killed workers.
"""

import asyncio
import os
import sys
from dataclasses import replace

from brokers import broker_kind, stock
from sqlalchemy import text
from taskiq import AcknowledgeType, TaskiqDepends
from taskiq.brokers.shared_broker import shared_task
from taskiq.cli.worker.args import WorkerArgs
from taskiq.cli.worker.run import run_worker

from app.core.database import Database
from app.tasks.effects import first_time
from app.tasks.worker import worker_arguments

# Nothing makes this row unique but the task itself.
TABLE = "CREATE TABLE marks (key text NOT NULL)"
MARK = text("INSERT INTO marks VALUES (:key)")


def note(word: str, key: str) -> None:
    """Add a line to a file: what is written stays, whoever is killed.

    Words have five letters, keys five digits: so many lines are in the file as its size says.
    """
    file = os.open(os.environ["BENCH_ATTEMPTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{word} {key}\n".encode())
    os.close(file)


@shared_task(task_name="bench:mark")
async def mark(key: str, seconds: float, database: Database = TaskiqDepends()) -> None:
    """Take a while, and have one effect."""
    note("began", key)
    await asyncio.sleep(seconds)
    async with database.write.begin() as session:
        first = await first_time(session, key)
        if first:
            await session.execute(MARK, {"key": key})
    note("ended" if first else "again", key)


def without(arguments: WorkerArgs) -> WorkerArgs:
    """Take away what keeps the tasks."""
    stock()  # Redis is asked for tasks that were left behind only when a new one has come
    if broker_kind() == "redis":
        return arguments
    return replace(arguments, ack_type=AcknowledgeType.WHEN_RECEIVED)


if __name__ == "__main__":
    given = worker_arguments()
    sys.exit(run_worker(without(given) if "BENCH_WITHOUT" in os.environ else given))
