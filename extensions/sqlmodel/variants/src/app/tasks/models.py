"""The tables of tasks: what failed, and what was done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Select, Text, select
from sqlmodel import Field, col

from app.db.base import Base, UTCDateTime, utc_now


class FailedTask(Base, table=True):
    """A task whose last attempt failed; without `retry_at` nobody will send it again by itself."""

    table_name = "failed_tasks"

    id: str = Field(max_length=64, primary_key=True)
    name: str = Field(max_length=200)
    message: str = Field(sa_type=Text)
    attempt: int
    error: str = Field(max_length=1000)
    retry_at: datetime | None = Field(default=None, index=True, sa_type=UTCDateTime)
    failed_at: datetime = Field(default_factory=utc_now, sa_type=UTCDateTime)

    @classmethod
    def due(cls, now: datetime) -> Select[Self]:
        """The query for those whose time has come, without those that somebody else has."""
        due = select(cls).where(col(cls.retry_at) <= now).order_by(col(cls.retry_at))
        return due.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """The query for all, those that failed first at the top."""
        return select(cls).order_by(col(cls.failed_at))

    @classmethod
    def chosen(cls, ids: Sequence[str]) -> ColumnElement[bool]:
        """The condition for these."""
        return col(cls.id).in_(ids)

    @classmethod
    def given_up(cls) -> ColumnElement[bool]:
        """The condition for those that nobody will send again by themselves."""
        return col(cls.retry_at).is_(None)

    @classmethod
    def given_up_before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition for those that nobody has looked at since."""
        return cls.given_up() & (col(cls.failed_at) < limit)

    @classmethod
    def sent(cls, identifier: str, attempt: int) -> ColumnElement[bool]:
        """The condition for one that was sent again, unless that attempt has failed too."""
        return (col(cls.id) == identifier) & (col(cls.attempt) < attempt)


class TaskEffect(Base, table=True):
    """Something that a task did and must not do twice."""

    table_name = "task_effects"

    key: str = Field(max_length=200, primary_key=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UTCDateTime)

    @classmethod
    def before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition for what was done before a time."""
        return col(cls.created_at) < limit
