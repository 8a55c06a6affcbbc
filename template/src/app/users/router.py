"""The caller's own account."""

from fastapi import APIRouter, status

from app.db.session import WriteSession
from app.users import service
from app.users.dependencies import AUTHENTICATED, CurrentUser
from app.users.models import User
from app.users.schemas import UserRead

router = APIRouter(prefix="/users", tags=["users"], responses=AUTHENTICATED)


@router.get("/me", response_model=UserRead)
async def read_me(user: CurrentUser) -> User:
    """Who am I?"""
    return user


@router.delete("/me", status_code=status.HTTP_204_NO_CONTENT)
async def delete_me(user: CurrentUser, session: WriteSession) -> None:
    """Delete the account and everything that belongs to it."""
    await service.delete_user(session, user)
