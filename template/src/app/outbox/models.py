"""The table of the outbox."""

from collections.abc import Sequence
from typing import Self

from sqlalchemy import ColumnElement, Index, Select, String, Text, exists, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.db.base import Base, CreatedAt
from app.outbox.counter import COUNTER


class OutboxMessage(Base):
    """A task that is to be sent. `aggregate` is what it is about: of one thing, in order."""

    __tablename__ = "outbox_messages"
    __table_args__ = (Index(None, "aggregate", "id"),)

    # Counted by the database: the clocks of several machines do not agree on an order.
    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    aggregate: Mapped[str] = mapped_column(String(100))
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]

    @classmethod
    def first_about_each(cls) -> Select[Self]:
        """The query for the oldest about each thing, without those that another relay has."""
        earlier = aliased(cls)
        behind = exists().where(earlier.aggregate == cls.aggregate, earlier.id < cls.id)
        query = select(cls).where(~behind).order_by(cls.id)
        return query.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """The query for all, the oldest at the top."""
        return select(cls).order_by(cls.id)

    @classmethod
    def chosen(cls, ids: Sequence[int]) -> ColumnElement[bool]:
        """The condition for these."""
        return cls.id.in_(ids)
