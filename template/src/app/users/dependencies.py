"""The caller, for routes that want to know them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.security import OAuth2PasswordBearer

from app.core.errors import problem_responses
from app.core.security import NotAuthenticated, SecurityDep
from app.db.session import DatabaseDep
from app.users.errors import InactiveUser
from app.users.models import User
from app.users.service import get_active_user

_bearer = OAuth2PasswordBearer(tokenUrl="auth/token", auto_error=False)

AUTHENTICATED = problem_responses(NotAuthenticated, InactiveUser)
"""The refusals of every route that has a `CurrentUser`, for its `responses`."""


async def get_caller_id(
    token: Annotated[str | None, Depends(_bearer)], security: SecurityDep
) -> UUID:
    """The id of the user whom the bearer token was issued to; they may be gone since."""
    if token is None:
        raise NotAuthenticated
    return security.read_access_token(token)


CallerId = Annotated[UUID, Depends(get_caller_id)]


async def get_current_user(user_id: CallerId, database: DatabaseDep) -> User:
    """The user whom the bearer token was issued to.

    The read session is closed before the endpoint opens its own: a request that held two
    connections could wait for itself when the pool is empty.
    """
    async with database.read() as session:
        return await get_active_user(session, user_id)


CurrentUser = Annotated[User, Depends(get_current_user)]
