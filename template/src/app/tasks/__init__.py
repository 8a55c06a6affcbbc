"""Background tasks: sent to a broker, run by workers, retried when they fail.

A task is a function under `@task(name)` in a module named `tasks`; `await tasks.send(it, …)` sends
it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from app.core.config import Settings, load_settings
from app.tasks.config import TaskSettings
from app.tasks.connection import create_sender, opened


def install_tasks(app: FastAPI, settings: Settings) -> None:
    """Let the application send tasks.

    Raises:
        ConfigurationError: in production without a broker.
    """
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)

    app.state.tasks = sender = create_sender(tasks, app.state.database)

    @asynccontextmanager
    async def open_sender(_: FastAPI) -> AsyncGenerator[None]:
        async with opened(sender):
            yield

    app.include_router(APIRouter(lifespan=open_sender))
