"""The item that a path names."""

from uuid import UUID

from app.db.session import ReadSession
from app.items import service
from app.items.schemas import ItemRead


async def get_one_item(item_id: UUID, session: ReadSession) -> ItemRead:
    """The item, to be read."""
    return ItemRead.model_validate(await service.get_item(session, item_id))
