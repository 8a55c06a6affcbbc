"""The table of the outbox."""

from collections.abc import Sequence
from typing import Self

from sqlalchemy import ColumnElement, Index, Select, String, Text, exists, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.db.base import Base, CreatedAt, SerialNumber


class OutboxMessage(Base):
    """A task that is to be sent; those of one aggregate are sent in order."""

    __tablename__ = "outbox_messages"
    __table_args__ = (Index(None, "aggregate", "id"),)

    id: Mapped[SerialNumber]
    aggregate: Mapped[str] = mapped_column(String(100))
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]

    @classmethod
    def first_of_each_aggregate(cls) -> Select[Self]:
        """Query the oldest message of each aggregate, without those another relay has locked."""
        earlier = aliased(cls)
        has_earlier = exists().where(earlier.aggregate == cls.aggregate, earlier.id < cls.id)
        query = select(cls).where(~has_earlier).order_by(cls.id)
        return query.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """Query all messages, the oldest first."""
        return select(cls).order_by(cls.id)

    @classmethod
    def chosen(cls, ids: Sequence[int]) -> ColumnElement[bool]:
        """The condition that selects these messages."""
        return cls.id.in_(ids)
