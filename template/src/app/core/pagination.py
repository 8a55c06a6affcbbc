"""Keyset pagination: the last page of a list costs no more than the first.

Rows are ordered by primary key, a UUIDv7: newest first, and stable while rows are added or deleted.
The cursor is the key of the last row on the page before.
"""

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import Base

Entry = TypeVar("Entry")
Model = TypeVar("Model", bound=Base)


class PageRequest(BaseModel):
    """Which page of a list a request asks for."""

    limit: int = Field(default=20, ge=1, le=100, description="The number of items on a page.")
    cursor: UUID | None = Field(
        default=None, description="`next_cursor` of the previous page; omitted for the first page."
    )


PageParams = Annotated[PageRequest, Query()]
"""The query parameters `limit` and `cursor`."""


class Page(BaseModel, Generic[Entry]):
    """One page of a list."""

    # A service returns a page of models, which FastAPI converts to a page of schemas.
    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: Sequence[Entry]
    next_cursor: UUID | None = Field(description="The cursor of the next page; null on the last.")


async def fetch_page(
    session: AsyncSession, statement: Select[Model], model: type[Model], params: PageRequest
) -> Page[Model]:
    """The requested page of `model`, newest first, in one statement."""
    mapper = inspect(model)
    (key,) = mapper.primary_key
    statement = statement.order_by(key.desc()).limit(params.limit + 1)
    if params.cursor is not None:
        statement = statement.where(key < params.cursor)
    found = (await session.scalars(statement)).all()
    rows = found[: params.limit]
    if len(found) == len(rows):
        return Page(items=rows, next_cursor=None)
    (last,) = mapper.primary_key_from_instance(rows[-1])
    return Page(items=rows, next_cursor=last)


def link_next_page(request: Request, response: Response, cursor: UUID | None) -> None:
    """Add a `Link` header (RFC 8288) to the next page, relative to the URL of the list."""
    if cursor is not None:
        query = request.url.include_query_params(cursor=cursor).query
        response.headers["Link"] = f'<?{query}>; rel="next"'
