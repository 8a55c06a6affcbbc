"""The rules about items: each belongs to one user, and nobody else sees it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.core.pagination import Page
from app.items.errors import ItemNotFound
from app.items.models import Item
from app.users.models import User


def _items_of(owner: User) -> Select[Item]:
    # An item has one owner, so a join brings both in one round trip; a collection
    # would want selectinload.
    with_owner = joinedload(Item.owner, innerjoin=True)
    return select(Item).where(Item.owner_id == owner.id).options(with_owner)


async def list_items(session: AsyncSession, owner: User, page: Page) -> Sequence[Item]:
    """The owner's items on this page, newest first, and one more if another page follows."""
    statement = _items_of(owner).order_by(Item.id.desc()).limit(page.limit + 1)
    if page.after is not None:
        statement = statement.where(Item.id < page.after)
    return (await session.scalars(statement)).all()


async def get_item(
    session: AsyncSession, owner: User, item_id: UUID, *, for_update: bool = False
) -> Item:
    """The owner's item; `for_update` holds others off until the transaction ends.

    Raises:
        ItemNotFound: there is none, or it is somebody else's.
    """
    statement = _items_of(owner).where(Item.id == item_id)
    if for_update:
        statement = statement.with_for_update(of=Item)
    item = await session.scalar(statement)
    if item is None:
        raise ItemNotFound
    return item


async def create_item(session: AsyncSession, owner: User, *, name: str, description: str) -> Item:
    """Add an item."""
    session.add(owner)
    item = Item(owner=owner, name=name, description=description)
    session.add(item)
    await session.flush()
    return item


async def update_item(
    session: AsyncSession, owner: User, item_id: UUID, changes: Mapping[str, str]
) -> Item:
    """Change the fields that are named.

    Raises:
        ItemNotFound: there is none, or it is somebody else's.
    """
    item = await get_item(session, owner, item_id, for_update=True)
    for field, value in changes.items():
        setattr(item, field, value)
    await session.flush()
    return item


async def delete_item(session: AsyncSession, owner: User, item_id: UUID) -> None:
    """Remove an item.

    Raises:
        ItemNotFound: there is none, or it is somebody else's.
    """
    item = await get_item(session, owner, item_id, for_update=True)
    await session.delete(item)
    await session.flush()
