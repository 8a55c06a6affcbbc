"""Work in the background: sent to a broker, done by workers, tried again when it fails.

A task is a function under `@task(name)` in a module called `tasks`; `await tasks.send(it, …)` has
it done.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from app.core.config import Settings, load_settings
from app.tasks.connection import connected
from app.tasks.settings import TaskSettings


def install_tasks(app: FastAPI, settings: Settings) -> None:
    """Let the application send tasks.

    Raises:
        ConfigurationError: production has no broker.
    """
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncGenerator[None]:
        async with connected(tasks, app.state.database) as sender:
            app.state.tasks = sender
            yield

    app.include_router(APIRouter(lifespan=connect))
