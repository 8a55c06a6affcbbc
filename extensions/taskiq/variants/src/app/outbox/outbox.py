"""Storing tasks in the outbox, and sending them from there."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from taskiq import AsyncBroker, BrokerMessage

from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.wakeup import announce
from app.tasks.broker import OUTAGE
from app.tasks.connection import connect, connect_process
from app.tasks.errors import TasksUnavailable
from app.tasks.middleware import RequestId


class Outbox(AsyncBroker):
    """Stores tasks in a transaction: they are sent if it commits, and only then.

    Change the aggregate first, then send the task:
    `await task.kicker().with_broker(Outbox(session, aggregate.id)).kiq(…)`. The tasks of an
    aggregate are sent in the order of its changes.
    """

    def __init__(self, session: AsyncSession, aggregate: UUID | str) -> None:
        super().__init__()
        self._session = session
        self._aggregate = str(aggregate)
        self.add_middlewares(RequestId())

    async def kick(self, message: BrokerMessage) -> None:
        """Store the task."""
        # The change first: it locks the aggregate, so that concurrent changes keep their order.
        await self._session.flush()
        stored = OutboxMessage(aggregate=self._aggregate, message=message.message.decode())
        self._session.add(stored)
        await self._session.flush()
        await announce(self._session)

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
        TasksUnavailable: the broker did not accept it, or it cannot be read.
    """
    try:
        message = broker.formatter.loads(stored.encode())
        await broker.kick(broker.formatter.dumps(message))
    except (*OUTAGE, ValidationError) as error:
        # It cannot be read if the project has used another library before.
        raise TasksUnavailable from error
