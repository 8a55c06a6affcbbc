"""The caller's own account."""

from fastapi import APIRouter, status
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import DatabaseDep, in_transaction
from app.users import service
from app.users.dependencies import AUTHENTICATED, CurrentUser
from app.users.models import User
from app.users.schemas import UserRead

router = APIRouter(prefix="/users", tags=["users"], responses=AUTHENTICATED)


@router.get("/me", response_model=UserRead)
async def read_me(user: CurrentUser) -> User:
    """Read my account."""
    return user


@router.delete("/me", status_code=status.HTTP_204_NO_CONTENT)
async def delete_me(user: CurrentUser, database: DatabaseDep) -> None:
    """Delete my account and everything that belongs to it."""

    async def delete(session: AsyncSession) -> None:
        await service.delete_user(session, user.id)

    await in_transaction(database, delete)
