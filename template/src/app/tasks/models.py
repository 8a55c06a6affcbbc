"""The tables of background tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Select, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt


class FailedTask(Base):
    """A task whose last attempt failed; without `retry_at` it is given up, and not retried."""

    __tablename__ = "failed_tasks"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int]
    error: Mapped[str] = mapped_column(String(1000))
    retry_at: Mapped[datetime | None] = mapped_column(index=True)
    failed_at: Mapped[CreatedAt]

    @classmethod
    def due(cls, now: datetime) -> Select[Self]:
        """Query those that are to be retried, except those that another scheduler has locked."""
        due = select(cls).where(cls.retry_at <= now).order_by(cls.retry_at)
        return due.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """Query all failed tasks, the oldest failure first."""
        return select(cls).order_by(cls.failed_at)

    @classmethod
    def chosen(cls, ids: Sequence[str]) -> ColumnElement[bool]:
        """The condition that selects these tasks."""
        return cls.id.in_(ids)

    @classmethod
    def given_up(cls) -> ColumnElement[bool]:
        """The condition that selects tasks that were given up."""
        return cls.retry_at.is_(None)

    @classmethod
    def given_up_before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition that selects tasks that were given up before a time."""
        return cls.given_up() & (cls.failed_at < limit)

    @classmethod
    def sent(cls, identifier: str, attempt: int) -> ColumnElement[bool]:
        """The condition that selects a task that was retried, unless that attempt failed too."""
        return (cls.id == identifier) & (cls.attempt < attempt)


class TaskEffect(Base):
    """An effect of a task that must not happen twice."""

    __tablename__ = "task_effects"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    created_at: Mapped[CreatedAt]

    @classmethod
    def before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition that selects effects recorded before a time."""
        return cls.created_at < limit
