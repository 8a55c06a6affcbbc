"""Items, open to everybody."""

from uuid import UUID

from fastapi import APIRouter, status

from app.core.database import ReadSession, WriteSession
from app.core.errors import problem_responses
from app.core.pagination import PageQuery, cursor_of
from app.items import service
from app.items.errors import ItemNotFound
from app.items.models import Item
from app.items.schemas import ItemCreate, ItemPage, ItemRead, ItemUpdate

router = APIRouter(prefix="/items", tags=["items"])

NOT_FOUND = problem_responses(ItemNotFound)


@router.get("")
async def list_items(page: PageQuery, session: ReadSession) -> ItemPage:
    """The items, newest first."""
    found = await service.list_items(session, page)
    items, more = found[: page.limit], len(found) > page.limit
    return ItemPage(
        items=[ItemRead.model_validate(item) for item in items],
        next_cursor=cursor_of(items[-1].id) if more else None,
    )


@router.post("", status_code=status.HTTP_201_CREATED, response_model=ItemRead)
async def create_item(new: ItemCreate, session: WriteSession) -> Item:
    """Add an item."""
    return await service.create_item(session, name=new.name, description=new.description)


@router.get("/{item_id}", response_model=ItemRead, responses=NOT_FOUND)
async def read_item(item_id: UUID, session: ReadSession) -> Item:
    """One item."""
    return await service.get_item(session, item_id)


@router.patch("/{item_id}", response_model=ItemRead, responses=NOT_FOUND)
async def update_item(item_id: UUID, changes: ItemUpdate, session: WriteSession) -> Item:
    """Change an item; fields that are not sent stay as they are."""
    return await service.update_item(session, item_id, changes.model_dump(exclude_unset=True))


@router.delete("/{item_id}", status_code=status.HTTP_204_NO_CONTENT, responses=NOT_FOUND)
async def delete_item(item_id: UUID, session: WriteSession) -> None:
    """Delete an item."""
    await service.delete_item(session, item_id)
