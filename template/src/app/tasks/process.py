"""What processes that have to do with tasks begin with, and have beside their work."""

import asyncio
import importlib
import pkgutil
import tempfile
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import app
from app.core.config import ConfigurationError, get_settings, load_settings
from app.core.logging import configure_logging
from app.tasks.settings import TaskSettings

PULSE_EVERY = 5
"""Seconds between two signs of life."""


def process_settings() -> tuple[TaskSettings, str]:
    """The settings of tasks, and the broker's URL.

    Raises:
        ConfigurationError: there is no broker.
    """
    settings = get_settings()
    configure_logging(settings)
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)
    if not tasks.broker_url:
        sentence = "Nothing to do: without APP_TASKS_BROKER_URL the service does its tasks itself."
        raise ConfigurationError(sentence)
    return tasks, tasks.broker_url.get_secret_value()


def import_tasks() -> None:
    """Import every module called `tasks`, so that its tasks are known."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith(".tasks"):
            importlib.import_module(module.name)


def touch_pulse() -> None:
    """Give a sign of life: a worker touches this file every few seconds."""
    # Not before: the service, which imports this too, may have nowhere to write to.
    (Path(tempfile.gettempdir()) / "worker-pulse").touch()


async def beat() -> None:
    """Give signs of life as long as the event loop goes round."""
    while True:
        touch_pulse()
        await asyncio.sleep(PULSE_EVERY)


@asynccontextmanager
async def background(work: Coroutine[object, object, None]) -> AsyncGenerator[asyncio.Task[None]]:
    """Do something meanwhile; it is cancelled at the end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
