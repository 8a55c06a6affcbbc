"""What the caller is told of tasks."""

import structlog
from fastapi import Request, Response
from rfc9457 import Problem, StatusProblem

logger = structlog.stdlib.get_logger("app.tasks")


class TasksUnavailable(StatusProblem):
    """The broker did not take a task. Nothing was changed: send the same request again."""

    status = 503
    title = "Work cannot be queued at the moment."
    type_ = "tasks-unavailable"
    headers_ = {"Retry-After": "1"}


def answer_unavailable(request: Request, error: Exception) -> Response:
    """Answer that a task could not be sent, as other problems are; the log says why."""
    logger.warning("task not sent", reason=repr(error.__cause__))
    response: Response = request.app.exception_handlers[Problem](request, TasksUnavailable())
    return response
