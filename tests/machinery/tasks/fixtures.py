"""A queue on a real broker, and the environment of worker processes."""

import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import URL

from app.core.config import Settings
from app.db.session import Database
from app.tasks.config import TaskSettings
from tests.conftest import PROJECT

TIME_LIMIT = 2
REDELIVERY_AFTER = 4.5


# Named, so that the harness sees what a test depends on. Redis may be here for the cache alone.
BROKERS = (
    "tests.machinery.celery_rabbitmq.queue_server",
    "tests.machinery.dramatiq_rabbitmq.queue_server",
    "tests.machinery.taskiq_rabbitmq.queue_server",
    "tests.machinery.kafka.queue_server",
    "tests.machinery.nats.queue_server",
    "tests.machinery.redis.server",
)
MARKINGS = ("tests.machinery.queue.marking", "tests.machinery.taskiq.marking")


def first_of(modules: Sequence[str]) -> ModuleType:
    """Import the first of these modules that the project has."""
    return import_module(
        next(name for name in modules if (PROJECT / f"{name.replace('.', '/')}.py").exists())
    )


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """The URL of a real broker."""
    with first_of(BROKERS).server() as url:
        yield url


@pytest.fixture
async def queue(broker_url: str) -> AsyncIterator[str]:
    """The name of a queue of the test's own, which is deleted after it."""
    name = f"test-{uuid4().hex}"
    async with first_of(BROKERS).cleaned(broker_url, name):
        yield name


@pytest.fixture
async def effects(own_database: URL, settings: Settings) -> AsyncIterator[Database]:
    """A database that the test shares with other processes."""
    database = Database.create(settings.model_copy(update={"database_url": secret(own_database)}))
    yield database
    await database.close()


@pytest.fixture
def task_environment(own_database: URL, broker_url: str, queue: str) -> dict[str, str]:
    """The environment of worker processes."""
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
async def sender(broker_url: str, queue: str, effects: Database) -> AsyncIterator[object]:
    """The service's end of the queue, of a type of the library's."""
    settings = TaskSettings(queue=queue, time_limit=TIME_LIMIT, redelivery_after=REDELIVERY_AFTER)
    async with first_of(MARKINGS).opened(broker_url, settings, effects) as sender:
        yield sender


def secret(url: URL) -> SecretStr:
    """The URL as settings hold it."""
    return SecretStr(url.render_as_string(hide_password=False))
