"""How an endpoint sends tasks."""

from typing import Annotated

from fastapi import Depends, Request

from app.tasks.task import Sender


async def get_tasks(request: Request) -> Sender:
    """Where the application sends tasks."""
    tasks: Sender = request.app.state.tasks
    return tasks


TasksDependency = Annotated[Sender, Depends(get_tasks)]
