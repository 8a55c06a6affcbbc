"""A queue on a real broker, and the environment of worker processes."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import URL

from app.core.config import Settings
from app.db.session import Database
from app.tasks.config import TaskSettings

TIME_LIMIT = 1
REDELIVERY_AFTER = 2.5


def module_of_part(*names: str) -> ModuleType:
    """Import the first module of these names that a part has in its folder."""
    for name in names:
        for file in Path(__file__).parent.parent.glob(f"*/{name}.py"):
            return import_module(f"tests.machinery.{file.parent.name}.{name}")
    raise LookupError(names)


# A server of the second name may be here for another purpose.
BROKER = ("queue_server", "server")


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """The URL of a real broker."""
    with module_of_part(*BROKER).server() as url:
        yield url


@pytest.fixture
async def queue(broker_url: str) -> AsyncIterator[str]:
    """The name of a queue of the test's own, which is deleted after it."""
    name = f"test-{uuid4().hex}"
    async with module_of_part(*BROKER).cleaned(broker_url, name):
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
    async with module_of_part("marking").opened(broker_url, settings, effects) as sender:
        yield sender


def secret(url: URL) -> SecretStr:
    """The URL as settings hold it."""
    return SecretStr(url.render_as_string(hide_password=False))
