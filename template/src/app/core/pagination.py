"""Lists by the page: keyset pagination, whose last page costs what the first does.

Rows are ordered by their id, a UUID of version 7: newest first, stable while others come and go.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Query
from rfc9457 import StatusProblem

MAXIMUM = 100
"""The most rows on a page."""


class InvalidCursor(StatusProblem):
    """The cursor was not made by this service."""

    status = 422
    title = "The cursor is not valid."
    type_ = "invalid-cursor"


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted: `limit` rows that follow the row `after`."""

    limit: int
    after: UUID | None = None

    @classmethod
    def of(cls, limit: int, cursor: str | None) -> Self:
        """Read what the caller sent.

        Raises:
            InvalidCursor: the cursor is not one that `cursor_of` returned.
        """
        return cls(limit, _read(cursor) if cursor is not None else None)


def cursor_of(identifier: UUID) -> str:
    """The cursor of the page that follows the row with this id; opaque to the caller."""
    return urlsafe_b64encode(identifier.bytes).rstrip(b"=").decode()


def _read(cursor: str) -> UUID:
    try:
        identifier = UUID(bytes=urlsafe_b64decode(cursor.encode("ascii") + b"=="))
    except (ValueError, Error) as error:
        raise InvalidCursor from error
    if cursor_of(identifier) != cursor:
        raise InvalidCursor
    return identifier


def _page(
    limit: Annotated[int, Query(ge=1, le=MAXIMUM, description="Rows on a page.")] = 20,
    cursor: Annotated[
        str | None, Query(description="`next_cursor` of the page before; none for the first.")
    ] = None,
) -> Page:
    return Page.of(limit, cursor)


PageQuery = Annotated[Page, Depends(_page)]
"""The query parameters `limit` and `cursor`."""
