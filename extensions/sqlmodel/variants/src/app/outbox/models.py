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
    __table_args__ = (Index(None, "aggregate", "id"),)

    id: int = Field(default=None, primary_key=True, sa_type=SERIAL)
    aggregate: str = Field(max_length=100)
    message: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=utc_now)

    @classmethod
    def first_of_each_aggregate(cls) -> Select[Self]:
        """Query the oldest message of each aggregate, without those another relay has locked."""
        earlier = aliased(cls)
        has_earlier = exists().where(
            col(earlier.aggregate) == col(cls.aggregate), col(earlier.id) < col(cls.id)
        )
        query = select(cls).where(~has_earlier).order_by(col(cls.id))
        return query.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """Query all messages, the oldest first."""
        return select(cls).order_by(col(cls.id))

    @classmethod
    def chosen(cls, ids: Sequence[int]) -> ColumnElement[bool]:
        """The condition that selects these messages."""
        return col(cls.id).in_(ids)
