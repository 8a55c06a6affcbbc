"""The base of all models."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Dialect, MetaData, TypeDecorator
from sqlalchemy.orm import declared_attr
from sqlmodel import SQLModel

from app.db.engine import TIME


def utc_now() -> datetime:
    """The current time, with its zone."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC; not every database keeps a zone, and none may guess one."""

    impl = TIME
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC.

        Raises:
            ValueError: the time has no zone, so nobody knows which moment it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            message = "A time needs a zone, as utc_now() has."
            raise ValueError(message)
        return value.astimezone(UTC).replace(tzinfo=UTC if TIME.timezone else None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(SQLModel):
    """Base of all models; the naming convention gives every constraint a name to migrate by.

    A table is a model with `table=True` and a `table_name`. Ids are UUIDs of version 7 (RFC 9562),
    which begin with the time: rows are stored, and listed, in the order of creation.
    """

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    table_name: ClassVar[str]

    if not TYPE_CHECKING:  # the package declares that it is no text
        __tablename__ = declared_attr.directive(lambda cls: cls.table_name)
