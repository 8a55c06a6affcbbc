"""A service whose things change, its worker, and a relay that notes what it sends.

`python things.py worker`, `python things.py relay`, `uvicorn --factory things:create`.
"""

import os
import sys
import time
from collections.abc import AsyncIterator
from typing import Annotated

from app.tasks.worker import worker_arguments
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import text
from taskiq import AsyncBroker, BrokerMessage, TaskiqDepends
from taskiq.brokers.shared_broker import shared_task
from taskiq.cli.worker.run import run_worker

from app.db.session import Database, WriteSession
from app.main import create_app
from app.outbox import relay
from app.outbox.outbox import Outbox
from app.tasks.effects import first_time

TABLES = (
    "CREATE TABLE things (name text PRIMARY KEY, version int NOT NULL)",
    # Nothing makes these rows unique but the task itself.
    "CREATE TABLE marks (name text NOT NULL, version int NOT NULL)",
)
CHANGE = text("UPDATE things SET version = version + 1 WHERE name = :name RETURNING version")
MARK = text("INSERT INTO marks VALUES (:name, :version)")
router = APIRouter()


@shared_task(task_name="bench:changed")
async def changed(name: str, version: int, database: Database = TaskiqDepends()) -> None:
    """Note the change, once."""
    async with database.write.begin() as session:
        if await first_time(session, f"{name} {version}"):
            await session.execute(MARK, {"name": name, "version": version})


async def note_commit(name: str) -> AsyncIterator[list[int]]:
    """Note when the change was committed: what was entered before the session ends after it."""
    versions: list[int] = []
    yield versions
    note("BENCH_COMMITTED", f"{name} {versions[0]}")


@router.post("/things/{name}")
async def change(
    name: str,
    committed: Annotated[list[int], Depends(note_commit, scope="function")],
    session: WriteSession,
) -> int:
    """Change a thing, and store what it leads to."""
    version: int = (await session.execute(CHANGE, {"name": name})).scalar_one()
    outbox = Outbox(session, name)
    await changed.kicker().with_broker(outbox).kiq(name, version)
    committed.append(version)
    return version


def create() -> FastAPI:
    """Build the application, with things."""
    app = create_app()
    app.include_router(router)
    return app


def note(variable: str, text: str) -> None:
    """Add a line and the time to the file that the variable names: a line is never cut."""
    file = os.open(os.environ[variable], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{text} {time.time()}\n".encode())
    os.close(file)


def noting(broker: AsyncBroker) -> AsyncBroker:
    """Let a broker note what it took."""
    send = broker.kick

    async def kick(message: BrokerMessage) -> None:
        await send(message)
        name, version = broker.formatter.loads(message.message).args
        note("BENCH_SENT", f"{name} {version}")

    broker.kick = kick
    return broker


def main() -> None:
    """Be a worker or a relay."""
    if sys.argv[1] == "worker":
        sys.exit(run_worker(worker_arguments()))
    connect = relay.connect_process

    def connect_noting() -> tuple[AsyncBroker, Database]:
        broker, database = connect()
        return noting(broker), database

    relay.connect_process = connect_noting
    relay.main()


if __name__ == "__main__":
    main()
