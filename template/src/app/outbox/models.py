"""The table of the outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Index, Select, String, Text, exists, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.db.base import Base, CreatedAt, SerialNumber


class OutboxMessage(Base):
    """A task that is to be sent; those of one aggregate are sent in order."""

    __tablename__ = "outbox_messages"
    __table_args__ = (Index(None, "aggregate", "id"), Index(None, "attempts", "id"))

    id: Mapped[SerialNumber]
    aggregate: Mapped[str] = mapped_column(String(100))
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    retry_at: Mapped[datetime | None]
    """None before the first attempt."""

    @classmethod
    def due(cls, now: datetime) -> Select[Self]:
        """Query the first message of each aggregate, if it is due and no other relay has locked it.

        Messages that have failed come last: they would hold up the others.
        """
        earlier = aliased(cls)
        has_earlier = exists().where(earlier.aggregate == cls.aggregate, earlier.id < cls.id)
        is_due = cls.retry_at.is_(None) | (cls.retry_at <= now)
        query = select(cls).where(is_due, ~has_earlier).order_by(cls.attempts, cls.id)
        return query.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """Query all messages, the oldest first."""
        return select(cls).order_by(cls.id)

    @classmethod
    def failing(cls) -> ColumnElement[bool]:
        """The condition that selects messages that could not be sent so far."""
        return cls.attempts > 0

    @classmethod
    def chosen(cls, ids: Sequence[int]) -> ColumnElement[bool]:
        """The condition that selects these messages."""
        return cls.id.in_(ids)
