"""Work in the background: sent to a broker, done by workers, tried again when it fails.

A task is a function under `@task(name)` in a module called `tasks`; `await tasks.send(it, …)` has
it done.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from app.core.config import Settings, load_settings
from app.tasks.connection import create_sender, opened
from app.tasks.settings import TaskSettings


def install_tasks(app: FastAPI, settings: Settings) -> None:
    """Let the application send tasks.

    Raises:
        ConfigurationError: production has no broker.
    """
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)

    app.state.tasks = sender = create_sender(tasks, app.state.database)

    @asynccontextmanager
    async def open_sender(_: FastAPI) -> AsyncGenerator[None]:
        async with opened(sender):
            yield

    app.include_router(APIRouter(lifespan=open_sender))
