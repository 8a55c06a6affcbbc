"""Work in the background: sent to a broker, done by workers, tried again when it fails.

A task is a function under `@shared_task` in a module called `tasks`; `await it.kiq(…)` sends it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from rfc9457 import Problem
from taskiq import SendTaskError

from app.core.config import Settings, load_settings
from app.tasks.connection import connected
from app.tasks.errors import TasksUnavailable
from app.tasks.settings import TaskSettings

logger = structlog.stdlib.get_logger("app.tasks")


def install_tasks(app: FastAPI, settings: Settings) -> None:
    """Let the application send tasks; one that cannot be sent is a 503.

    Raises:
        ConfigurationError: production has no broker.
    """
    tasks = load_settings(TaskSettings)
    tasks.check_for(settings.environment)

    @asynccontextmanager
    async def connect(app: FastAPI) -> AsyncGenerator[None]:
        async with connected(tasks, app.state.database):
            yield

    app.include_router(APIRouter(lifespan=connect))
    app.add_exception_handler(SendTaskError, answer_unavailable)


def answer_unavailable(request: Request, error: Exception) -> Response:
    """Answer that a task could not be sent, as other problems are; the log says why."""
    logger.warning("task not sent", reason=repr(error.__cause__))
    response: Response = request.app.exception_handlers[Problem](request, TasksUnavailable())
    return response
