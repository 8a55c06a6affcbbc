"""The item that a path names."""

from uuid import UUID

from app.db.session import ReadSession
from app.items import service
from app.items.schemas import ItemRead
from app.users.dependencies import CurrentUser


async def get_one_item(item_id: UUID, user: CurrentUser, session: ReadSession) -> ItemRead:
    """The caller's item, to be read."""
    return ItemRead.model_validate(await service.get_item(session, user, item_id))
