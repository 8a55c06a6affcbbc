"""Items, open to every caller."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.pagination import Page, PageRequest, fetch_page
from app.core.preconditions import check_version
from app.items.errors import ItemNotFound
from app.items.models import Item


async def list_items(session: AsyncSession, params: PageRequest) -> Page[Item]:
    """A page of the items, newest first."""
    return await fetch_page(session, select(Item), Item, params)


async def get_item(session: AsyncSession, item_id: UUID, *, for_update: bool = False) -> Item:
    """The item with this id; `for_update` locks its row until the transaction ends.

    Raises:
        ItemNotFound: it does not exist.
    """
    item = await session.get(Item, item_id, with_for_update=for_update or None)
    if item is None:
        raise ItemNotFound
    return item


async def create_item(session: AsyncSession, *, title: str, description: str) -> Item:
    """Add an item."""
    item = Item(title=title, description=description)
    session.add(item)
    await session.flush()
    return item


async def update_item(
    session: AsyncSession,
    item_id: UUID,
    changes: Mapping[str, str],
    *,
    expected: Sequence[int] | None = None,
) -> Item:
    """Set the fields that `changes` names.

    Raises:
        ItemNotFound: it does not exist.
        PreconditionFailed: its version is none of those that are expected.
    """
    item = await get_item(session, item_id, for_update=True)
    check_version(item.version, expected)
    for field, value in changes.items():
        setattr(item, field, value)
    if changes:
        item.version += 1
    await session.flush()
    return item


async def delete_item(
    session: AsyncSession, item_id: UUID, *, expected: Sequence[int] | None = None
) -> None:
    """Delete an item.

    Raises:
        ItemNotFound: it does not exist.
        PreconditionFailed: its version is none of those that are expected.
    """
    item = await get_item(session, item_id, for_update=True)
    check_version(item.version, expected)
    await session.delete(item)
    await session.flush()
