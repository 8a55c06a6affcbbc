"""What a task is, and who sends it. Nothing here knows the library that carries it."""

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
from app.tasks.settings import TaskSettings

P = ParamSpec("P")
ARGUMENTS = TypeAdapter(dict[str, Any])


class Message(BaseModel):
    """A task that is to be done, as it is sent."""

    name: str
    arguments: dict[str, JsonValue] = {}
    id: str = Field(default_factory=lambda: uuid4().hex)
    attempt: int = 1
    request_id: str | None = None


class Sender(ABC):
    """Where tasks are sent."""

    async def send(self, task: "Task[P]", *args: P.args, **kwargs: P.kwargs) -> None:
        """Have a task done; its arguments must be something that JSON can say.

        Raises:
            TasksUnavailable: the broker did not take it.
        """
        await self.deliver(task.message(*args, **kwargs))

    @abstractmethod
    async def deliver(self, message: Message) -> None:
        """Send a message as it is.

        Raises:
            TasksUnavailable: the broker did not take it, or did not say so in time.
        """


class TaskContext:
    """What a task works with: the database, the settings, and where it sends other tasks."""

    def __init__(self, database: Database, settings: TaskSettings, tasks: Sender) -> None:
        self.database = database
        self.settings = settings
        self.tasks = tasks


@dataclass(frozen=True)
class Task(Generic[P]):
    """A function that workers do."""

    name: str
    function: Callable[Concatenate[TaskContext, P], Awaitable[None]]
    cron: str | None
    """When it is sent by itself, in UTC, as `crontab(5)` writes it."""
    attempts: int | None
    time_limit: float | None

    def message(self, *args: P.args, **kwargs: P.kwargs) -> Message:
        """The message that has it done with these arguments, for the request that is under way."""
        _, *arguments = self._signature.bind(None, *args, **kwargs).arguments.items()
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        as_json = ARGUMENTS.dump_python(dict(arguments), mode="json")
        return Message(name=self.name, arguments=as_json, request_id=request_id)

    async def run(self, context: TaskContext, arguments: dict[str, JsonValue]) -> None:
        """Call the function with what a message says.

        Raises:
            ValidationError: these are not its arguments.
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
"""All tasks that are known, by name."""


def task(
    name: str,
    *,
    cron: str | None = None,
    attempts: int | None = None,
    time_limit: float | None = None,
) -> Callable[[Callable[Concatenate[TaskContext, P], Awaitable[None]]], Task[P]]:
    """Make a task of a function. What is not said here of its attempts and time, the settings say.

    The name is in messages, which may be older than the code: leave it when the function moves.

    Raises:
        ValueError: there is a task of this name.
    """
    if name in TASKS:
        message = f"There is a task called {name} already."
        raise ValueError(message)

    def register(function: Callable[Concatenate[TaskContext, P], Awaitable[None]]) -> Task[P]:
        TASKS[name] = made = Task(name, function, cron, attempts, time_limit)
        return made

    return register
