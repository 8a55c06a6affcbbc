"""The authenticated caller of a request."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.security import OAuth2PasswordBearer

from app.core.errors import problem_responses
from app.db.errors import DatabaseUnavailable
from app.db.session import DatabaseDep
from app.users.errors import InactiveUser, NotAuthenticated
from app.users.models import User
from app.users.security import SecurityDep
from app.users.service import get_active_user

_bearer = OAuth2PasswordBearer(tokenUrl="auth/token", auto_error=False)

AUTHENTICATED = problem_responses(NotAuthenticated, InactiveUser, DatabaseUnavailable)
"""For the `responses` of every route that takes a `CurrentUser`."""


async def get_caller_id(
    token: Annotated[str | None, Depends(_bearer)], security: SecurityDep
) -> UUID:
    """The id in the bearer token, of a user who may have been deleted since."""
    if token is None:
        raise NotAuthenticated
    return security.read_access_token(token)


CallerId = Annotated[UUID, Depends(get_caller_id)]


async def get_current_user(user_id: CallerId, database: DatabaseDep) -> User:
    """The user to whom the bearer token was issued.

    Its session is closed before the endpoint opens another: a request that holds two connections
    can deadlock on the pool.
    """
    async with database.read() as session:
        return await get_active_user(session, user_id)


CurrentUser = Annotated[User, Depends(get_current_user)]
