"""The tasks of a test: held back until the test lets them be done, or on a real broker."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, ParamSpec, TypeAlias
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import URL
from taskiq import (
    AsyncBroker,
    AsyncTaskiqDecoratedTask,
    BrokerMessage,
    InMemoryBroker,
    TaskiqMessage,
    async_shared_broker,
)
from taskiq.formatters.json_formatter import JSONFormatter
from taskiq.kicker import AsyncKicker

from app.core.config import Settings
from app.db.session import Database
from app.tasks.assembly import assemble
from app.tasks.broker import OUTAGE, create_broker
from app.tasks.connection import deliver_text
from app.tasks.settings import TaskSettings
from tests.tasks.brokers import broker_server, cleaned

TIME_LIMIT = 1
REDELIVERY_AFTER = 2.5

P = ParamSpec("P")
Sender: TypeAlias = AsyncBroker
"""The service's end of a queue."""


class HeldTasks(InMemoryBroker):
    """A broker that keeps what the application sends."""

    def __init__(self) -> None:
        super().__init__()
        self.with_formatter(JSONFormatter())
        self.held: list[BrokerMessage] = []
        self.is_away = False

    async def kick(self, message: BrokerMessage) -> None:
        """Keep the task."""
        if self.is_away:
            raise OUTAGE[0]
        self.held.append(message)

    def names(self) -> list[str]:
        """What the tasks are called."""
        return [message.task_name for message in self.held]

    def arguments(self) -> list[list[Any]]:
        """What the tasks were given."""
        return [self.formatter.loads(message.message).args for message in self.held]

    def request_ids(self) -> list[str | None]:
        """The requests that sent them."""
        return [message.labels.get("request_id") for message in self.held]

    async def deliver_text(self, text: str) -> None:
        """Keep a task that was stored."""
        await deliver_text(self, text)

    async def send(
        self, task: AsyncTaskiqDecoratedTask[P, Any], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Send a task."""
        await task.kicker().with_broker(self).kiq(*args, **kwargs)

    async def send_labelled(self, name: str, *arguments: object, **labels: float) -> TaskiqMessage:
        """Send a task with labels, which a task's own `kicker` would keep for all that follow."""
        kicker: AsyncKicker[..., None] = AsyncKicker(name, self, {**labels})
        await kicker.kiq(*arguments)
        message = self.formatter.loads(self.held[-1].message)
        message.parse_labels()
        return message

    async def do_all(self, database: Database, settings: TaskSettings | None = None) -> None:
        """Do what was sent, as a worker does."""
        worker = InMemoryBroker()
        assemble(worker, settings or TaskSettings(), database)
        waiting, self.held = self.held, []
        for message in waiting:
            await worker.receiver.callback(message.message)


async def _for_ever(*_arguments: object, **_options: object) -> None:
    await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> HeldTasks:
    """What the application of this test sends."""
    held = HeldTasks()
    # An application that is not started keeps the broker of the test before.
    async_shared_broker.default_broker(held)
    monkeypatch.setattr("app.tasks.connection.InMemoryBroker", lambda: held)
    monkeypatch.setattr("app.tasks.connection.run_scheduler_task", _for_ever)
    return held


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """The URL of a real broker."""
    with broker_server() as url:
        yield url


@pytest.fixture
async def queue(broker_url: str) -> AsyncIterator[str]:
    """The name of a queue for one test."""
    name = f"test-{uuid4().hex}"
    async with cleaned(broker_url, name):
        yield name


@pytest.fixture
async def effects(own_database: URL, settings: Settings) -> AsyncIterator[Database]:
    """A database that other processes share with the test."""
    database = Database.create(settings.model_copy(update={"database_url": secret(own_database)}))
    yield database
    await database.close()


@pytest.fixture
def task_environment(own_database: URL, broker_url: str, queue: str) -> dict[str, str]:
    """The settings of other processes."""
    return {
        **os.environ,
        "APP_DATABASE_URL": secret(own_database).get_secret_value(),
        "APP_TASKS_BROKER_URL": broker_url,
        "APP_TASKS_QUEUE": queue,
        "APP_TASKS_TIME_LIMIT": str(TIME_LIMIT),
        "APP_TASKS_REDELIVERY_AFTER": str(REDELIVERY_AFTER),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


@pytest.fixture
async def sender(broker_url: str, queue: str, effects: Database) -> AsyncIterator[AsyncBroker]:
    """The service's end of the queue."""
    settings = TaskSettings(queue=queue, time_limit=TIME_LIMIT, redelivery_after=REDELIVERY_AFTER)
    broker = assemble(create_broker(broker_url, settings), settings, effects)
    await broker.startup()
    async_shared_broker.default_broker(broker)
    yield broker
    await broker.shutdown()


def secret(url: URL) -> SecretStr:
    """The URL as settings hold it."""
    return SecretStr(url.render_as_string(hide_password=False))
