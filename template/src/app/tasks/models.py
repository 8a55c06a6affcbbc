"""The tables of tasks: what failed, and what was done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Select, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt


class FailedTask(Base):
    """A task whose last attempt failed; without `retry_at` nobody will send it again by itself."""

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
        """The query for those whose time has come, without those that somebody else has."""
        due = select(cls).where(cls.retry_at <= now).order_by(cls.retry_at)
        return due.with_for_update(skip_locked=True)

    @classmethod
    def oldest(cls) -> Select[Self]:
        """The query for all, those that failed first at the top."""
        return select(cls).order_by(cls.failed_at)

    @classmethod
    def chosen(cls, ids: Sequence[str]) -> ColumnElement[bool]:
        """The condition for these."""
        return cls.id.in_(ids)

    @classmethod
    def given_up(cls) -> ColumnElement[bool]:
        """The condition for those that nobody will send again by themselves."""
        return cls.retry_at.is_(None)

    @classmethod
    def given_up_before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition for those that nobody has looked at since."""
        return cls.given_up() & (cls.failed_at < limit)

    @classmethod
    def sent(cls, identifier: str, attempt: int) -> ColumnElement[bool]:
        """The condition for one that was sent again, unless that attempt has failed too."""
        return (cls.id == identifier) & (cls.attempt < attempt)


class TaskEffect(Base):
    """Something that a task did and must not do twice."""

    __tablename__ = "task_effects"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    created_at: Mapped[CreatedAt]

    @classmethod
    def before(cls, limit: datetime) -> ColumnElement[bool]:
        """The condition for what was done before a time."""
        return cls.created_at < limit
