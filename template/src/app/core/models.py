"""Columns that models share."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.orm import mapped_column
from uuid_utils.compat import uuid7


def utc_now() -> datetime:
    """The current time, with its zone."""
    return datetime.now(UTC)


# Version 7 of RFC 9562 begins with the time: rows are stored, and listed, in the order of creation.
Identifier = Annotated[UUID, mapped_column(primary_key=True, default=uuid7)]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), default=utc_now)]
UpdatedAt = Annotated[
    datetime, mapped_column(DateTime(timezone=True), default=utc_now, onupdate=utc_now)
]
