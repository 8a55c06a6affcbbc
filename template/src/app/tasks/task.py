"""Tasks and how they are sent, independent of the library that transports them."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Concatenate, Generic, ParamSpec, cast
from uuid import uuid4

import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, validate_call

from app.db.session import Database
from app.tasks.config import TaskSettings

P = ParamSpec("P")
ARGUMENTS = TypeAdapter(dict[str, Any])


class Message(BaseModel):
    """A task as it is sent."""

    name: str
    arguments: dict[str, JsonValue] = {}
    id: str = Field(default_factory=lambda: uuid4().hex)
    attempt: int = 1
    request_id: str | None = None


class Sender(ABC):
    """Sends tasks."""

    async def send(self, task: "Task[P]", *args: P.args, **kwargs: P.kwargs) -> None:
        """Send a task; its arguments must be serializable as JSON.

        Raises:
            TasksUnavailable: the broker did not accept it.
        """
        await self.deliver(task.message(*args, **kwargs))

    @abstractmethod
    async def deliver(self, message: Message) -> None:
        """Send a message.

        Raises:
            TasksUnavailable: the broker did not accept it in time.
        """


class TaskContext:
    """What a task works with: the database, the settings, and a sender for other tasks."""

    def __init__(self, database: Database, settings: TaskSettings, tasks: Sender) -> None:
        self.database = database
        self.settings = settings
        self.tasks = tasks


@dataclass(frozen=True)
class Task(Generic[P]):
    """A function that workers run."""

    name: str
    function: Callable[Concatenate[TaskContext, P], Awaitable[None]]
    cron: str | None
    """When the scheduler sends it: a cron expression, in UTC."""
    attempts: int | None
    time_limit: float | None

    def message(self, *args: P.args, **kwargs: P.kwargs) -> Message:
        """Return the message for a call with these arguments, with the current request ID."""
        _, *arguments = self._signature.bind(None, *args, **kwargs).arguments.items()
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        as_json = ARGUMENTS.dump_python(dict(arguments), mode="json")
        return Message(name=self.name, arguments=as_json, request_id=request_id)

    async def run(self, context: TaskContext, arguments: dict[str, JsonValue]) -> None:
        """Call the function with the arguments of a message.

        Raises:
            ValidationError: they do not fit its parameters.
        """
        await self._validated(context, **arguments)

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def _validated(self) -> Callable[..., Awaitable[None]]:
        function = cast("Callable[..., Awaitable[None]]", self.function)
        return validate_call(config=ConfigDict(arbitrary_types_allowed=True))(function)


TASKS: dict[str, Task[...]] = {}
"""All registered tasks by name."""


def task(
    name: str,
    *,
    cron: str | None = None,
    attempts: int | None = None,
    time_limit: float | None = None,
) -> Callable[[Callable[Concatenate[TaskContext, P], Awaitable[None]]], Task[P]]:
    """Register a function as a task; attempts and time limit default to the settings'.

    Messages carry the name and may be older than the code: keep it when the function moves.

    Raises:
        ValueError: the name is taken.
    """
    if name in TASKS:
        raise ValueError(f"There is a task called {name} already.")

    def register(function: Callable[Concatenate[TaskContext, P], Awaitable[None]]) -> Task[P]:
        TASKS[name] = registered = Task(name, function, cron, attempts, time_limit)
        return registered

    return register
