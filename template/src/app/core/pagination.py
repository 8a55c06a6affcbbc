"""Lists by the page: keyset pagination, whose last page costs what the first does.

Rows are ordered by their id, a UUID of version 7: newest first, stable while others come and go.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AfterValidator


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted: `limit` rows that follow the row `after`."""

    limit: int
    after: UUID | None = None


def cursor_of(identifier: UUID) -> str:
    """The cursor of the page that follows the row with this id; opaque to the caller."""
    return urlsafe_b64encode(identifier.bytes).rstrip(b"=").decode()


def read_cursor(cursor: str) -> UUID:
    """The id of the row that a page follows.

    Raises:
        ValueError: the cursor is not one that `cursor_of` returned.
    """
    try:
        identifier = UUID(bytes=urlsafe_b64decode(cursor.encode("ascii") + b"=="))
    except ValueError:
        identifier = None
    if identifier is None or cursor_of(identifier) != cursor:
        message = "This is not a cursor of the service."
        raise ValueError(message)
    return identifier


def _checked(cursor: str) -> str:
    read_cursor(cursor)
    return cursor


def _page(
    limit: Annotated[int, Query(ge=1, le=100, description="Rows on a page.")] = 20,
    cursor: Annotated[
        Annotated[str, AfterValidator(_checked)] | None,
        Query(description="`next_cursor` of the page before; none for the first."),
    ] = None,
) -> Page:
    return Page(limit, None if cursor is None else read_cursor(cursor))


PageQuery = Annotated[Page, Depends(_page)]
"""The query parameters `limit` and `cursor`."""
