"""The table of the outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Index, Select, Text, exists, select
from sqlalchemy.orm import aliased
from sqlmodel import Field, col

from app.db.base import Base, UTCDateTime, utc_now
from app.outbox.counter import COUNTER


class OutboxMessage(Base, table=True):
    """A task that is to be sent. `aggregate` is what it is about: of one thing, in order."""

    table_name = "outbox_messages"
    __table_args__ = (Index(None, "aggregate", "id"),)

    # Counted by the database: the clocks of several machines do not agree on an order.
    id: int = Field(default=None, primary_key=True, sa_type=COUNTER)
    aggregate: str = Field(max_length=100)
    message: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UTCDateTime)

    @classmethod
    def first_about_each(cls) -> Select[Self]:
        """The query for the oldest about each thing, without those that another relay has."""
        earlier = aliased(cls)
        behind = exists().where(
            col(earlier.aggregate) == col(cls.aggregate), col(earlier.id) < col(cls.id)
        )
        query = select(cls).where(~behind).order_by(col(cls.id))
        return query.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """The query for all, the oldest at the top."""
        return select(cls).order_by(col(cls.id))

    @classmethod
    def chosen(cls, ids: Sequence[int]) -> ColumnElement[bool]:
        """The condition for these."""
        return col(cls.id).in_(ids)
