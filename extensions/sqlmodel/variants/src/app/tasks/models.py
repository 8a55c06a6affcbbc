"""The tables of background tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Select, Text, select
from sqlmodel import Field, col

from app.db.base import Base, utc_now


class FailedTask(Base, table=True):
    """A task whose last attempt failed; without `retry_at` it is given up, and not retried."""

    table_name = "failed_tasks"

    id: str = Field(max_length=64, primary_key=True)
    name: str = Field(max_length=200)
    message: str = Field(sa_type=Text)
    attempt: int
    error: str = Field(max_length=1000)
    retry_at: datetime | None = Field(default=None, index=True)
    failed_at: datetime = Field(default_factory=utc_now)

    @classmethod
    def due(cls, now: datetime) -> Select[Self]:
        """Query those that are to be retried, except those that another scheduler has locked."""
        due = select(cls).where(col(cls.retry_at) <= now).order_by(col(cls.retry_at))
        return due.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """Query all failed tasks, the oldest failure first."""
        return select(cls).order_by(col(cls.failed_at))

    @classmethod
    def chosen(cls, ids: Sequence[str]) -> ColumnElement[bool]:
        """The condition that selects these tasks."""
        return col(cls.id).in_(ids)

    @classmethod
    def given_up(cls) -> ColumnElement[bool]:
        """The condition that selects tasks that were given up."""
        return col(cls.retry_at).is_(None)

    @classmethod
    def given_up_before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition that selects tasks that were given up before a time."""
        return cls.given_up() & (col(cls.failed_at) < limit)

    @classmethod
    def sent(cls, identifier: str, attempt: int) -> ColumnElement[bool]:
        """The condition that selects a task that was retried, unless that attempt failed too."""
        return (col(cls.id) == identifier) & (col(cls.attempt) < attempt)


class TaskEffect(Base, table=True):
    """An effect of a task that must not happen twice."""

    table_name = "task_effects"

    key: str = Field(max_length=200, primary_key=True)
    created_at: datetime = Field(default_factory=utc_now)

    @classmethod
    def before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition that selects effects recorded before a time."""
        return col(cls.created_at) < limit
