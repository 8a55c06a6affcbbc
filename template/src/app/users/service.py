"""Users and their passwords."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.errors import ConstraintViolated
from app.db.session import Database
from app.users.errors import EmailTaken, InactiveUser, NotAuthenticated, WrongPassword
from app.users.models import User
from app.users.security import Security


async def create_user(
    session: AsyncSession, security: Security, *, email: str, password: str
) -> User:
    """Add a user.

    Raises:
        EmailTaken: another account has the address, even one of a concurrent request.
    """
    user = User(email=email, password_hash=await security.hash(password))
    session.add(user)
    try:
        await session.flush()
    except ConstraintViolated as error:
        if error.constraint != "uq_users_email":
            raise
        raise EmailTaken from error
    return user


async def authenticate(
    database: Database, security: Security, *, email: str, password: str
) -> User:
    """The user with this address and password; takes as long if there is none.

    No connection is held while the password is verified, which is slow by design.

    Raises:
        NotAuthenticated: the address or the password is wrong.
        InactiveUser: the account was deactivated.
    """
    async with database.read() as session:
        user = await session.scalar(select(User).filter_by(email=email.lower()))
    matches = await security.verify(password, user.password_hash if user else None)
    if user is None or not matches:
        detail = "The e-mail address or the password is wrong."
        raise NotAuthenticated(detail)
    if not user.is_active:
        raise InactiveUser
    return user


async def get_active_user(session: AsyncSession, user_id: UUID) -> User:
    """The user with this id.

    Raises:
        NotAuthenticated: the user does not exist any more.
        InactiveUser: the account was deactivated.
    """
    user = await session.get(User, user_id)
    if user is None:
        raise NotAuthenticated
    if not user.is_active:
        raise InactiveUser
    return user


async def change_password(
    session: AsyncSession, security: Security, user: User, *, current: str, new: str
) -> None:
    """Replace the password.

    Raises:
        WrongPassword: `current` is not the user's password.
    """
    if not await security.verify(current, user.password_hash):
        raise WrongPassword
    session.add(user)
    user.password_hash = await security.hash(new)
    await session.flush()


async def delete_user(session: AsyncSession, user: User) -> None:
    """Delete the user and everything that belongs to them."""
    await session.delete(user)
    await session.flush()
