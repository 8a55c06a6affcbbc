"""What the caller is told of tasks."""

from rfc9457 import StatusProblem


class TasksUnavailable(StatusProblem):
    """The broker did not take a task. Nothing was changed: send the same request again."""

    status = 503
    title = "Work cannot be queued at the moment."
    type_ = "tasks-unavailable"
    headers_ = {"Retry-After": "1"}
