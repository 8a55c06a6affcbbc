"""The way into the outbox."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.outbox.models import OutboxMessage
from app.outbox.wakeup import announce
from app.tasks.task import Message, Sender


class Outbox(Sender):
    """Stores tasks in a transaction: they are sent if it is committed, and only then.

    `await Outbox(session, thing.id).send(task, …)` after the change of the thing: tasks about one
    thing are sent in the order of its changes.
    """

    def __init__(self, session: AsyncSession, about: UUID | str) -> None:
        self._session = session
        self._about = str(about)

    async def deliver(self, message: Message) -> None:
        """Store the task."""
        # The change first: it locks the thing, so that nobody else's task about it gets in between.
        await self._session.flush()
        text = message.model_dump_json()
        self._session.add(OutboxMessage(aggregate=self._about, message=text))
        await self._session.flush()
        await announce(self._session)
