"""The task of the benchmarks, as all libraries but taskiq have it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module

import app.tasks.broker
import app.tasks.worker
from effects import leave
from library import BROKER, LIBRARY

from app.db.session import Database
from app.tasks.connection import create_sender, opened
from app.tasks.errors import TasksUnavailable
from app.tasks.settings import TaskSettings
from app.tasks.task import TaskContext, task

NOT_SENT = TasksUnavailable
DECISIVE = {
    "arq redis": "any number of tries",
    "celery redis": "late acknowledgement",
    "celery rabbitmq": "late acknowledgement",
    "dramatiq redis": "frequent maintenance and a short heartbeat",
    "rq redis": "retries",
}.get(f"{LIBRARY} {BROKER}", "")


@task("bench:mark")
async def mark(context: TaskContext, key: str, seconds: float) -> None:
    """Take a while, and have one effect."""
    await leave(context.database, key, seconds)


@asynccontextmanager
async def sending(
    settings: TaskSettings, database: Database
) -> AsyncGenerator[Callable[[str, float], Awaitable[object]]]:
    """Connect to the broker; yields what sends the task."""
    sender = create_sender(settings, database)
    async with opened(sender):

        async def send(key: str, seconds: float) -> None:
            await sender.send(mark, key, seconds)

        yield send


def take_away() -> None:
    """Take away what keeps the tasks of killed workers: the library's own choice instead."""
    if LIBRARY == "arq":
        create_worker = app.tasks.worker.create_worker

        def create_strict(*arguments):  # noqa: ANN002, ANN202
            worker = create_worker(*arguments)
            worker.max_tries = 1
            return worker

        app.tasks.worker.create_worker = create_strict
    elif LIBRARY == "celery":
        create_app = app.tasks.worker.create_app

        def create_early(*arguments):  # noqa: ANN002, ANN202
            made = create_app(*arguments)
            made.conf.task_acks_late = False
            return made

        app.tasks.worker.create_app = create_early
    elif LIBRARY == "dramatiq":
        transport = import_module("app.tasks.transport")
        broker = transport.RedisBroker

        def create_stock(*, url: str, namespace: str, **_: object) -> object:
            return broker(url=url, namespace=namespace, middleware=[])

        transport.RedisBroker = create_stock
    else:
        app.tasks.broker.Retry = lambda _: None


def work() -> None:
    """Do tasks."""
    app.tasks.worker.main()
