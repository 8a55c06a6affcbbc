"""The caller's items."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from app.core.errors import Conflict, problem_responses
from app.core.pagination import PageQuery, link_next_page
from app.core.preconditions import (
    NOT_MODIFIED,
    IfMatch,
    IfNoneMatch,
    PreconditionFailed,
    etag_of,
    not_modified,
)
from app.db.session import ReadSession, WriteSession
from app.items import service
from app.items.dependencies import get_one_item
from app.items.errors import ItemNotFound
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemPage, ItemRead, ItemUpdate
from app.users.dependencies import AUTHENTICATED, CurrentUser

router = APIRouter(prefix="/items", tags=["items"], responses=AUTHENTICATED)

NOT_FOUND = problem_responses(ItemNotFound)
CHANGED = problem_responses(ItemNotFound, PreconditionFailed)


@router.get("")
async def list_items(
    user: CurrentUser, page: PageQuery, session: ReadSession, request: Request, response: Response
) -> ItemPage:
    """My items, newest first."""
    found = await service.list_items(session, user, page)
    link_next_page(request, response, found.next_cursor)
    return ItemPage(
        items=[ItemRead.model_validate(item) for item in found.rows],
        next_cursor=found.next_cursor,
    )


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=ItemRead,
    responses=problem_responses(Conflict),
)
async def create_item(
    new: ItemCreate, user: CurrentUser, session: WriteSession, response: Response
) -> Item:
    """Add an item of mine."""
    item = await service.create_item(session, user, name=new.name, description=new.description)
    response.headers["ETag"] = etag_of(item.version)
    return item


@router.get("/{item_id}", response_model=ItemRead, responses={**NOT_FOUND, **NOT_MODIFIED})
async def read_item(
    item: Annotated[ItemRead, Depends(get_one_item)],
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> ItemRead | Response:
    """One item of mine."""
    response.headers["ETag"] = etag_of(item.version)
    return not_modified(if_none_match, item.version) or item


@router.patch("/{item_id}", response_model=ItemRead, responses=CHANGED)
async def update_item(
    item_id: UUID,
    changes: ItemUpdate,
    user: CurrentUser,
    session: WriteSession,
    response: Response,
    if_match: IfMatch = None,
) -> Item:
    """Change an item of mine; fields that are not sent stay as they are."""
    item = await service.update_item(
        session, user, item_id, changes.model_dump(exclude_unset=True), if_match=if_match
    )
    response.headers["ETag"] = etag_of(item.version)
    return item


@router.delete("/{item_id}", status_code=status.HTTP_204_NO_CONTENT, responses=CHANGED)
async def delete_item(
    item_id: UUID, user: CurrentUser, session: WriteSession, if_match: IfMatch = None
) -> None:
    """Delete an item of mine."""
    await service.delete_item(session, user, item_id, if_match=if_match)
