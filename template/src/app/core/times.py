"""Times: always with their zone, always in UTC."""

from datetime import UTC, datetime

from sqlalchemy import Dialect, TypeDecorator

from app.core.engine import TIME


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
