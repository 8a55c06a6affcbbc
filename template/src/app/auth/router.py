"""Log-in and tokens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, status
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import service
from app.auth.errors import InvalidRefreshToken
from app.auth.schemas import LogInForm, RefreshRequest, TokenPair
from app.core.errors import problem_responses
from app.core.security import NotAuthenticated, Security, SecurityDep
from app.db.session import DatabaseDep, WriteSession, in_transaction
from app.users.dependencies import AUTHENTICATED, CurrentUser
from app.users.errors import InactiveUser, WrongPassword
from app.users.schemas import PasswordChange
from app.users.service import authenticate, change_password

router = APIRouter(prefix="/auth", tags=["auth"])
password_router = APIRouter(prefix="/users", tags=["users"], responses=AUTHENTICATED)


@router.post("/token", responses=problem_responses(NotAuthenticated, InactiveUser))
async def log_in(
    form: Annotated[LogInForm, Form()],
    database: DatabaseDep,
    session: WriteSession,
    security: SecurityDep,
) -> TokenPair:
    """Exchange e-mail address (as `username`) and password for tokens."""
    user = await authenticate(
        database, security, email=form.username, password=form.password.get_secret_value()
    )
    refresh_token = await service.issue_refresh_token(
        session, user.id, days=security.settings.refresh_token_days
    )
    return _pair(security, user.id, refresh_token)


@router.post("/refresh", responses=problem_responses(InvalidRefreshToken, InactiveUser))
async def refresh(body: RefreshRequest, database: DatabaseDep, security: SecurityDep) -> TokenPair:
    """Exchange a refresh token for new tokens; it may be used once."""

    async def rotate(session: AsyncSession) -> tuple[UUID, str]:
        return await service.rotate(
            session,
            body.refresh_token.get_secret_value(),
            days=security.settings.refresh_token_days,
        )

    # It locks a token and deletes others of its user, as a log-in does: they may deadlock.
    return _pair(security, *await in_transaction(database, rotate))


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(body: RefreshRequest, session: WriteSession) -> None:
    """Revoke a refresh token and its successors; access tokens run out by themselves."""
    await service.revoke(session, body.refresh_token.get_secret_value())


@password_router.post(
    "/me/password",
    status_code=status.HTTP_204_NO_CONTENT,
    # A wrong password and a closed account share the status.
    responses=problem_responses(WrongPassword, InactiveUser),
)
async def set_password(
    change: PasswordChange,
    user: CurrentUser,
    session: WriteSession,
    security: SecurityDep,
) -> None:
    """Change the password; every refresh token of the user is revoked."""
    await change_password(
        session,
        security,
        user,
        current=change.current_password.get_secret_value(),
        new=change.new_password.get_secret_value(),
    )
    await service.revoke_all(session, user.id)


def _pair(security: Security, user_id: UUID, refresh_token: str) -> TokenPair:
    return TokenPair(
        access_token=security.issue_access_token(user_id),
        refresh_token=refresh_token,
        expires_in=security.settings.access_token_minutes * 60,
    )
