"""Storing tasks in the outbox, and sending them from there."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.wakeup import announce
from app.tasks.connection import opened_context
from app.tasks.errors import TasksUnavailable
from app.tasks.process import process_settings
from app.tasks.task import Message, Sender


class Outbox(Sender):
    """Stores tasks in a transaction: they are sent if it commits, and only then.

    Change the aggregate first, then `await Outbox(session, aggregate.id).send(task, …)`: the tasks
    of an aggregate are sent in the order of its changes.
    """

    def __init__(self, session: AsyncSession, aggregate: UUID | str) -> None:
        self._session = session
        self._aggregate = str(aggregate)

    async def deliver(self, message: Message) -> None:
        """Store the task."""
        # The change first: it locks the aggregate, so that concurrent changes keep their order.
        await self._session.flush()
        stored = OutboxMessage(aggregate=self._aggregate, message=message.model_dump_json())
        self._session.add(stored)
        await self._session.flush()
        await announce(self._session)


@asynccontextmanager
async def delivery() -> AsyncGenerator[tuple[Database, Callable[[str], Awaitable[None]]]]:
    """Open the database and the broker; yield the database, and a function like `deliver`."""
    async with opened_context(*process_settings()) as context:
        yield context.database, partial(deliver, context.tasks)


async def deliver(tasks: Sender, stored: str) -> None:
    """Send a stored message.

    Raises:
        TasksUnavailable: the broker did not accept it, or it cannot be read.
    """
    try:
        message = Message.model_validate_json(stored)
    except ValidationError as error:
        # Not one of our messages: the project may have used another library before.
        raise TasksUnavailable from error
    await tasks.deliver(message)
