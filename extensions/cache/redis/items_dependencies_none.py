"""The item that a path names."""

from uuid import UUID

from app.cache.cache import CacheDependency
from app.cache.entries import row
from app.core.database import DatabaseDependency
from app.items import service
from app.items.models import Item
from app.items.schemas import ItemRead


async def get_one_item(
    item_id: UUID, database: DatabaseDependency, cache: CacheDependency
) -> ItemRead:
    """The item, to be read."""

    async def load() -> ItemRead:
        async with database.read() as session:
            return ItemRead.model_validate(await service.get_item(session, item_id))

    return await cache.get_or_load(ItemRead, [row(Item, item_id)], load)
