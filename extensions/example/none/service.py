"""The rules about items."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.pagination import Page
from app.items.errors import ItemNotFound
from app.items.models import Item


async def list_items(session: AsyncSession, page: Page) -> Sequence[Item]:
    """The items on this page, newest first, and one more if another page follows."""
    statement = select(Item).order_by(Item.id.desc()).limit(page.limit + 1)
    if page.after is not None:
        statement = statement.where(Item.id < page.after)
    return (await session.scalars(statement)).all()


async def get_item(session: AsyncSession, item_id: UUID, *, for_update: bool = False) -> Item:
    """One item; `for_update` holds others off until the transaction ends.

    Raises:
        ItemNotFound: there is none.
    """
    item = await session.get(Item, item_id, with_for_update=for_update or None)
    if item is None:
        raise ItemNotFound
    return item


async def create_item(session: AsyncSession, *, name: str, description: str) -> Item:
    """Add an item."""
    item = Item(name=name, description=description)
    session.add(item)
    await session.flush()
    return item


async def update_item(session: AsyncSession, item_id: UUID, changes: Mapping[str, str]) -> Item:
    """Change the fields that are named.

    Raises:
        ItemNotFound: there is none.
    """
    item = await get_item(session, item_id, for_update=True)
    for field, value in changes.items():
        setattr(item, field, value)
    await session.flush()
    return item


async def delete_item(session: AsyncSession, item_id: UUID) -> None:
    """Remove an item.

    Raises:
        ItemNotFound: there is none.
    """
    item = await get_item(session, item_id, for_update=True)
    await session.delete(item)
    await session.flush()
