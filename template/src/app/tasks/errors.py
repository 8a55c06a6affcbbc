"""Errors of background tasks."""

from rfc9457 import StatusProblem


class TasksUnavailable(StatusProblem):
    """The broker did not accept a task. Nothing was changed: the request can be retried."""

    status = 503
    title = "Work cannot be queued at the moment."
    type_ = "tasks-unavailable"
    headers_ = {"Retry-After": "1"}
