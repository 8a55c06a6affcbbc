"""The way into the outbox: a broker that stores."""

from collections.abc import AsyncGenerator
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from taskiq import AsyncBroker, BrokerMessage

from app.outbox.models import OutboxMessage
from app.outbox.wakeup import announce
from app.tasks.middleware import RequestId


class Outbox(AsyncBroker):
    """Stores tasks in a transaction: they are sent if it is committed, and only then.

    `await task.kicker().with_broker(Outbox(session, thing.id)).kiq(…)` after the change of the
    thing: tasks about one thing are sent in the order of its changes.
    """

    def __init__(self, session: AsyncSession, about: UUID | str) -> None:
        super().__init__()
        self._session = session
        self._about = str(about)
        self.add_middlewares(RequestId())

    async def kick(self, message: BrokerMessage) -> None:
        """Store the task."""
        # The change first: it locks the thing, so that nobody else's task about it gets in between.
        await self._session.flush()
        text = message.message.decode()
        self._session.add(OutboxMessage(aggregate=self._about, message=text))
        await self._session.flush()
        await announce(self._session)

    def listen(self) -> AsyncGenerator[bytes]:
        """Nobody takes tasks from here: the relay sends them on.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError
