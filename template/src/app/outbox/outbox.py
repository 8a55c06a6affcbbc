"""Storing tasks in the outbox, and sending them from there."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import utc_now
from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.wakeup import announce
from app.tasks.connection import opened_context
from app.tasks.models import FailedTask
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
        TasksUnavailable: the broker did not accept it.
        ValidationError: it cannot be read.
    """
    await tasks.deliver(Message.model_validate_json(stored))


def given_up(stored: OutboxMessage, error: BaseException) -> FailedTask:
    """Return the failed task that a message becomes which is not sent any more."""
    failed = FailedTask(
        id=f"outbox-{stored.id}",
        name="unreadable",
        message=stored.message,
        attempt=0,
        error=f"Not sent: {type(error).__name__}: {error}"[:1000],
        failed_at=utc_now(),
    )
    # It cannot be read if the project has used another library before.
    with suppress(ValidationError):
        message = Message.model_validate_json(stored.message)
        failed.id, failed.name = message.id, message.name
    return failed
