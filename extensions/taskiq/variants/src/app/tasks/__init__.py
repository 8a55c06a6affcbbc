"""Background tasks: sent to a broker, run by workers, retried when they fail.

A task is a function under `@shared_task` in a module named `tasks`; `await it.kiq(…)` sends it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from rfc9457 import Problem
from taskiq import SendTaskError

from app.core.config import Settings, load_settings
from app.tasks.config import TaskSettings
from app.tasks.connection import connected
from app.tasks.errors import TasksUnavailable

logger = structlog.stdlib.get_logger("app.tasks")


def install_tasks(app: FastAPI, settings: Settings) -> None:
    """Let the application send tasks; a request whose task cannot be sent fails with a 503.

    Raises:
        ConfigurationError: in production without a broker.
    """
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncGenerator[None]:
        async with connected(tasks, app.state.database) as app.state.tasks:
            yield

    app.include_router(APIRouter(lifespan=connect))
    app.add_exception_handler(SendTaskError, respond_unavailable)


async def respond_unavailable(request: Request, error: Exception) -> Response:
    """Log why a task could not be sent, and respond with the problem."""
    logger.warning("task not sent", reason=repr(error.__cause__))
    response: Response = await request.app.exception_handlers[Problem](request, TasksUnavailable())
    return response
