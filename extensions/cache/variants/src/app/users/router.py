"""The caller's own account."""

from fastapi import APIRouter, status
from sqlalchemy.ext.asyncio import AsyncSession

from app.cache.cache import CacheDep
from app.cache.entries import row
from app.db.session import DatabaseDep, in_transaction
from app.users import service
from app.users.dependencies import AUTHENTICATED, CallerId, CurrentUser
from app.users.models import User
from app.users.schemas import UserRead

router = APIRouter(prefix="/users", tags=["users"], responses=AUTHENTICATED)


@router.get("/me")
async def read_me(user_id: CallerId, database: DatabaseDep, cache: CacheDep) -> UserRead:
    """Read my account."""

    async def load() -> UserRead:
        async with database.read() as session:
            return UserRead.model_validate(await service.get_active_user(session, user_id))

    return await cache.get_or_load(UserRead, [row(User, user_id)], load)


@router.delete("/me", status_code=status.HTTP_204_NO_CONTENT)
async def delete_me(user: CurrentUser, database: DatabaseDep) -> None:
    """Delete my account and everything that belongs to it."""

    async def delete(session: AsyncSession) -> None:
        await service.delete_user(session, user.id)

    await in_transaction(database, delete)
