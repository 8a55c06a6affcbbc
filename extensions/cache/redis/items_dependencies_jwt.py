"""The item that a path names."""

from uuid import UUID

from app.cache.cache import CacheDep
from app.cache.entries import row
from app.db.session import DatabaseDep
from app.items import service
from app.items.models import Item
from app.items.schemas import ItemRead
from app.users.dependencies import CurrentUser
from app.users.models import User


async def get_one_item(
    item_id: UUID, user: CurrentUser, database: DatabaseDep, cache: CacheDep
) -> ItemRead:
    """The caller's item, to be read; its owner is part of it."""

    async def load() -> ItemRead:
        async with database.read() as session:
            return ItemRead.model_validate(await service.get_item(session, user, item_id))

    return await cache.get_or_load(ItemRead, [row(Item, item_id), row(User, user.id)], load)
