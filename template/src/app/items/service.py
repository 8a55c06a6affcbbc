"""The rules about items: each belongs to one user, and nobody else sees it."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.core.pagination import Page, Slice, fetch_page
from app.core.preconditions import check_if_match
from app.items.errors import ItemNotFound
from app.items.models import Item
from app.users.models import User


def _items_of(owner: User) -> Select[Item]:
    # An item has one owner, so a join brings both in one round trip; a collection
    # would want selectinload.
    with_owner = joinedload(Item.owner, innerjoin=True)
    return select(Item).filter_by(owner_id=owner.id).options(with_owner)


async def list_items(session: AsyncSession, owner: User, page: Page) -> Slice[Item]:
    """The owner's items on this page, newest first."""
    return await fetch_page(session, _items_of(owner), Item, page)


async def get_item(
    session: AsyncSession, owner: User, item_id: UUID, *, for_update: bool = False
) -> Item:
    """The owner's item; `for_update` holds others off until the transaction ends.

    Raises:
        ItemNotFound: there is none, or it is somebody else's.
    """
    statement = _items_of(owner).filter_by(id=item_id)
    if for_update:
        statement = statement.with_for_update(of=Item)
    item = await session.scalar(statement)
    if item is None:
        raise ItemNotFound
    return item


async def create_item(session: AsyncSession, owner: User, *, name: str, description: str) -> Item:
    """Add an item."""
    session.add(owner)
    item = Item(owner_id=owner.id, owner=owner, name=name, description=description)
    session.add(item)
    await session.flush()
    return item


async def update_item(
    session: AsyncSession,
    owner: User,
    item_id: UUID,
    changes: Mapping[str, str],
    *,
    if_match: str | None = None,
) -> Item:
    """Change the fields that are named.

    Raises:
        ItemNotFound: there is none, or it is somebody else's.
        PreconditionFailed: it is not the version that `if_match` asks for.
    """
    item = await get_item(session, owner, item_id, for_update=True)
    check_if_match(if_match, item.version)
    for field, value in changes.items():
        setattr(item, field, value)
    if changes:
        item.version += 1
    await session.flush()
    return item


async def delete_item(
    session: AsyncSession, owner: User, item_id: UUID, *, if_match: str | None = None
) -> None:
    """Remove an item.

    Raises:
        ItemNotFound: there is none, or it is somebody else's.
        PreconditionFailed: it is not the version that `if_match` asks for.
    """
    item = await get_item(session, owner, item_id, for_update=True)
    check_if_match(if_match, item.version)
    await session.delete(item)
    await session.flush()
