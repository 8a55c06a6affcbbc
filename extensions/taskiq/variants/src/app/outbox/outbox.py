"""Storing tasks in the outbox, and sending them from there."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from taskiq import AsyncBroker, BrokerMessage, TaskiqMessage, TaskiqMiddleware
from taskiq.formatters.json_formatter import JSONFormatter

from app.db.base import utc_now
from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.wakeup import announce
from app.tasks.broker import OUTAGE
from app.tasks.connection import connect, connect_process
from app.tasks.errors import TasksUnavailable
from app.tasks.middleware import RequestId
from app.tasks.models import FailedTask


class Storage(TaskiqMiddleware):
    """Stores tasks before they are sent: errors of `kick` would become taskiq's SendTaskError."""

    def __init__(self, session: AsyncSession, aggregate: UUID | str) -> None:
        super().__init__()
        self._session = session
        self._aggregate = str(aggregate)

    async def pre_send(self, message: TaskiqMessage) -> TaskiqMessage:
        """Store the task."""
        # The change first: it locks the aggregate, so that concurrent changes keep their order.
        await self._session.flush()
        text = self.broker.formatter.dumps(message).message.decode()
        self._session.add(OutboxMessage(aggregate=self._aggregate, message=text))
        await self._session.flush()
        await announce(self._session)
        return message


class Outbox(AsyncBroker):
    """Stores tasks in a transaction: they are sent if it commits, and only then.

    Change the aggregate first, then send the task:
    `await task.kicker().with_broker(Outbox(session, aggregate.id)).kiq(…)`. The tasks of an
    aggregate are sent in the order of its changes.
    """

    def __init__(self, session: AsyncSession, aggregate: UUID | str) -> None:
        super().__init__()
        self.with_formatter(JSONFormatter())
        self.add_middlewares(RequestId(), Storage(session, aggregate))

    async def kick(self, message: BrokerMessage) -> None:
        """Do nothing: the task is stored already."""

    def listen(self) -> AsyncGenerator[bytes]:
        """Refuse: the relay sends the tasks on to the broker that workers listen to.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError


@asynccontextmanager
async def delivery() -> AsyncGenerator[tuple[Database, Callable[[str], Awaitable[None]]]]:
    """Open the database and the broker; yield the database, and a function like `deliver`."""
    broker, database = connect_process()
    try:
        await connect(broker)
        yield database, partial(deliver, broker)
    finally:
        await broker.shutdown()


async def deliver(broker: AsyncBroker, stored: str) -> None:
    """Send a stored message.

    Raises:
        TasksUnavailable: the broker did not accept it.
        ValidationError: it cannot be read.
    """
    message = broker.formatter.loads(stored.encode())
    try:
        await broker.kick(broker.formatter.dumps(message))
    except OUTAGE as error:
        raise TasksUnavailable from error


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
        message = JSONFormatter().loads(stored.message.encode())
        failed.id, failed.name = message.task_id, message.task_name
    return failed
