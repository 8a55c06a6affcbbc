"""The tasks of a test: held back until the test lets them be done, or on a real broker."""

import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from uuid import uuid4

import pytest
from pydantic import JsonValue, SecretStr
from sqlalchemy import URL, select

from app.core.config import Settings
from app.db.session import Database
from app.tasks.broker import Broker
from app.tasks.connection import deliver_text
from app.tasks.errors import TasksUnavailable
from app.tasks.models import FailedTask
from app.tasks.settings import TaskSettings
from app.tasks.task import Message, Sender, TaskContext, task
from app.tasks.work import do
from tests.tasks.brokers import broker_server, cleaned

__all__ = ["Sender"]

TIME_LIMIT = 1
REDELIVERY_AFTER = 2.5


@task("tests:fail")
async def fail(_: TaskContext, number: int) -> None:
    """Fail."""
    message = f"number {number}"
    raise ValueError(message)


class HeldTasks(Sender):
    """Keeps what the application sends."""

    def __init__(self) -> None:
        self.held: list[Message] = []
        self.is_away = False

    async def deliver(self, message: Message) -> None:
        """Keep the task.

        Raises:
            TasksUnavailable: the broker is away.
        """
        if self.is_away:
            raise TasksUnavailable
        self.held.append(message)

    async def deliver_text(self, text: str) -> None:
        """Keep a task that was stored."""
        await deliver_text(self, text)

    def names(self) -> list[str]:
        """What the tasks are called."""
        return [message.name for message in self.held]

    def request_ids(self) -> list[str | None]:
        """The requests that sent them."""
        return [message.request_id for message in self.held]

    def arguments(self) -> list[list[JsonValue]]:
        """What the tasks were given."""
        return [[*message.arguments.values()] for message in self.held]

    async def do_all(self, database: Database, settings: TaskSettings | None = None) -> None:
        """Do what was sent, as a worker does."""
        context = TaskContext(database, settings or TaskSettings(), self)
        waiting, self.held = self.held, []
        for message in waiting:
            await do(message, context)


async def failed_tasks(database: Database) -> Sequence[FailedTask]:
    """What failed."""
    async with database.read() as session:
        return (await session.scalars(select(FailedTask))).all()


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> HeldTasks:
    """What the application of this test sends."""
    held = HeldTasks()
    monkeypatch.setattr("app.tasks.connection.LocalTasks.deliver", held.deliver)
    monkeypatch.setattr("app.tasks.scheduler.Schedule.send_due", _nothing)
    monkeypatch.setattr("app.tasks.scheduler.send_failed", _nothing)
    return held


async def _nothing(*_: object) -> None:
    """Leave the clock to the test."""


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
async def sender(broker_url: str, queue: str) -> AsyncIterator[Sender]:
    """The service's end of the queue."""
    settings = TaskSettings(queue=queue, time_limit=TIME_LIMIT, redelivery_after=REDELIVERY_AFTER)
    broker = Broker(broker_url, settings)
    yield broker
    await broker.close()


def secret(url: URL) -> SecretStr:
    """The URL as settings hold it."""
    return SecretStr(url.render_as_string(hide_password=False))
