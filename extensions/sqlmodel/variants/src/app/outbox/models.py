"""The table of the outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Index, Select, Text, exists, select
from sqlalchemy.orm import aliased
from sqlmodel import Field, col

from app.db.base import SERIAL, Base, utc_now


class OutboxMessage(Base, table=True):
    """A task that is to be sent; those of one aggregate are sent in order."""

    table_name = "outbox_messages"
    __table_args__ = (Index(None, "aggregate", "id"), Index(None, "attempts", "id"))

    id: int = Field(default=None, primary_key=True, sa_type=SERIAL)
    aggregate: str = Field(max_length=100)
    message: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=utc_now)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    retry_at: datetime | None = None
    """None before the first attempt."""

    @classmethod
    def due(cls, now: datetime) -> Select[Self]:
        """Query the first message of each aggregate, if it is due and no other relay has locked it.

        Messages that have failed come last: they would hold up the others.
        """
        earlier = aliased(cls)
        has_earlier = exists().where(
            col(earlier.aggregate) == col(cls.aggregate), col(earlier.id) < col(cls.id)
        )
        is_due = col(cls.retry_at).is_(None) | (col(cls.retry_at) <= now)
        query = select(cls).where(is_due, ~has_earlier).order_by(col(cls.attempts), col(cls.id))
        return query.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """Query all messages, the oldest first."""
        return select(cls).order_by(col(cls.id))

    @classmethod
    def failing(cls) -> ColumnElement[bool]:
        """The condition that selects messages that could not be sent so far."""
        return col(cls.attempts) > 0

    @classmethod
    def chosen(cls, ids: Sequence[int]) -> ColumnElement[bool]:
        """The condition that selects these messages."""
        return col(cls.id).in_(ids)
