"""The caller's items."""

from uuid import UUID

from fastapi import APIRouter, Request, Response, status

from app.core.errors import Conflict, problem_responses
from app.core.pagination import Page, PageParams, link_next_page
from app.core.preconditions import (
    NOT_MODIFIED,
    IfMatch,
    IfNoneMatch,
    PreconditionFailed,
    etag_of,
    not_modified,
    versions_of,
)
from app.core.schemas import with_headers
from app.db.session import ReadSession, WriteSession
from app.items import service
from app.items.errors import ItemNotFound
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemRead, ItemUpdate
from app.users.dependencies import AUTHENTICATED, CurrentUser

router = APIRouter(prefix="/items", tags=["items"], responses=AUTHENTICATED)

READ = {200: with_headers("ETag"), **NOT_MODIFIED, **problem_responses(ItemNotFound)}
CHANGED = problem_responses(ItemNotFound, PreconditionFailed)


@router.get("", response_model=Page[ItemRead], responses={200: with_headers("Link")})
async def list_items(
    user: CurrentUser,
    params: PageParams,
    session: ReadSession,
    request: Request,
    response: Response,
) -> Page[Item]:
    """List my items, newest first."""
    page = await service.list_items(session, user, params)
    link_next_page(request, response, page.next_cursor)
    return page


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=ItemRead,
    responses={201: with_headers("ETag", "Location"), **problem_responses(Conflict)},
)
async def create_item(
    new: ItemCreate, user: CurrentUser, session: WriteSession, request: Request, response: Response
) -> Item:
    """Create an item of mine."""
    item = await service.create_item(session, user, title=new.title, description=new.description)
    response.headers["Location"] = f"{request.url.path}/{item.id}"
    response.headers["ETag"] = etag_of(item.version)
    return item


@router.get("/{item_id}", response_model=ItemRead, responses=READ)
async def read_item(
    item_id: UUID,
    user: CurrentUser,
    session: ReadSession,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> Item | Response:
    """Read one of my items."""
    item = await service.get_item(session, user, item_id)
    response.headers["ETag"] = etag_of(item.version)
    return not_modified(if_none_match, item.version) or item


@router.patch(
    "/{item_id}", response_model=ItemRead, responses={200: with_headers("ETag"), **CHANGED}
)
async def update_item(
    item_id: UUID,
    changes: ItemUpdate,
    user: CurrentUser,
    session: WriteSession,
    response: Response,
    if_match: IfMatch = None,
) -> Item:
    """Change one of my items; omitted fields stay as they are."""
    item = await service.update_item(
        session,
        user,
        item_id,
        changes.model_dump(exclude_unset=True),
        expected=versions_of(if_match),
    )
    response.headers["ETag"] = etag_of(item.version)
    return item


@router.delete("/{item_id}", status_code=status.HTTP_204_NO_CONTENT, responses=CHANGED)
async def delete_item(
    item_id: UUID, user: CurrentUser, session: WriteSession, if_match: IfMatch = None
) -> None:
    """Delete one of my items."""
    await service.delete_item(session, user, item_id, expected=versions_of(if_match))
