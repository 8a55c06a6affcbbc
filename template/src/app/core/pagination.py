"""Lists by the page: keyset pagination, whose last page costs what the first does.

Rows are ordered by their id, a UUID of version 7: newest first, stable while others come and go.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator
from sqlalchemy import Select, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import Base

Model = TypeVar("Model", bound=Base)


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted: `limit` rows that follow the row `after`."""

    limit: int
    after: UUID | None = None


@dataclass(frozen=True)
class Slice(Generic[Model]):
    """The rows of a page, and the cursor of the next one if there is any."""

    rows: Sequence[Model]
    next_cursor: str | None


async def fetch_page(
    session: AsyncSession, statement: Select[Model], model: type[Model], page: Page
) -> Slice[Model]:
    """The rows of `model` on this page, newest first; one statement."""
    mapper = inspect(model)
    (key,) = mapper.primary_key
    statement = statement.order_by(key.desc()).limit(page.limit + 1)
    if page.after is not None:
        statement = statement.where(key < page.after)
    found = (await session.scalars(statement)).all()
    if len(found) <= page.limit:
        return Slice(found, None)
    rows = found[: page.limit]
    (last,) = mapper.primary_key_from_instance(rows[-1])
    return Slice(rows, cursor_of(last))


def link_next_page(request: Request, response: Response, cursor: str | None) -> None:
    """Point to the next page by a `Link` header (RFC 8288), relative to the list's own URL."""
    if cursor is not None:
        query = request.url.include_query_params(cursor=cursor).query
        response.headers["Link"] = f'<?{query}>; rel="next"'


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


async def _page(
    limit: Annotated[int, Query(ge=1, le=100, description="Rows on a page.")] = 20,
    cursor: Annotated[
        Annotated[str, AfterValidator(_checked)] | None,
        Query(description="`next_cursor` of the page before; none for the first."),
    ] = None,
) -> Page:
    return Page(limit, None if cursor is None else read_cursor(cursor))


PageQuery = Annotated[Page, Depends(_page)]
"""The query parameters `limit` and `cursor`."""
