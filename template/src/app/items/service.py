"""Items: each belongs to one user, who alone may read and change it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.core.pagination import Page, PageRequest, fetch_page
from app.core.preconditions import check_version
from app.items.errors import ItemNotFound
from app.items.models import Item
from app.users.models import User


def _items_of(owner: User) -> Select[Item]:
    # A join loads the owner in the same round trip; a collection would need selectinload.
    with_owner = joinedload(Item.owner, innerjoin=True)
    return select(Item).filter_by(owner_id=owner.id).options(with_owner)


async def list_items(session: AsyncSession, owner: User, params: PageRequest) -> Page[Item]:
    """A page of the owner's items, newest first."""
    return await fetch_page(session, _items_of(owner), Item, params)


async def get_item(
    session: AsyncSession, owner: User, item_id: UUID, *, for_update: bool = False
) -> Item:
    """The owner's item; `for_update` locks its row until the transaction ends.

    Raises:
        ItemNotFound: it does not exist, or belongs to another user.
    """
    statement = _items_of(owner).filter_by(id=item_id)
    if for_update:
        statement = statement.with_for_update(of=Item)
    item = await session.scalar(statement)
    if item is None:
        raise ItemNotFound
    return item


async def create_item(session: AsyncSession, owner: User, *, title: str, description: str) -> Item:
    """Add an item."""
    session.add(owner)
    item = Item(owner_id=owner.id, owner=owner, title=title, description=description)
    session.add(item)
    await session.flush()
    return item


async def update_item(
    session: AsyncSession,
    owner: User,
    item_id: UUID,
    changes: Mapping[str, str],
    *,
    expected: Sequence[int] | None = None,
) -> Item:
    """Set the fields that `changes` names.

    Raises:
        ItemNotFound: it does not exist, or belongs to another user.
        PreconditionFailed: its version is none of those that are expected.
    """
    item = await get_item(session, owner, item_id, for_update=True)
    check_version(item.version, expected)
    for field, value in changes.items():
        setattr(item, field, value)
    if changes:
        item.version += 1
    await session.flush()
    return item


async def delete_item(
    session: AsyncSession, owner: User, item_id: UUID, *, expected: Sequence[int] | None = None
) -> None:
    """Delete an item.

    Raises:
        ItemNotFound: it does not exist, or belongs to another user.
        PreconditionFailed: its version is none of those that are expected.
    """
    item = await get_item(session, owner, item_id, for_update=True)
    check_version(item.version, expected)
    await session.delete(item)
    await session.flush()
