"""The rules about users."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.security import NotAuthenticated, Security
from app.db.session import Database
from app.users.errors import EmailTaken, InactiveUser, WrongPassword
from app.users.models import User


async def create_user(
    session: AsyncSession, security: Security, *, email: str, password: str
) -> User:
    """Add a user.

    Raises:
        EmailTaken: the address belongs to somebody else, also if they came a moment ago.
    """
    user = User(email=email, password_hash=await security.hash(password))
    session.add(user)
    try:
        await session.flush()
    except IntegrityError as error:
        raise EmailTaken from error
    return user


async def authenticate(
    database: Database, security: Security, *, email: str, password: str
) -> User:
    """The user with this address and password; takes equally long where there is none.

    No connection is held while the password is checked, which is slow by design.

    Raises:
        NotAuthenticated: no such user, or another password.
        InactiveUser: the account was switched off.
    """
    async with database.read() as session:
        user = await session.scalar(select(User).filter_by(email=email.lower()))
    fits = await security.verify(password, user.password_hash if user else None)
    if user is None or not fits:
        detail = "The e-mail address or the password is wrong."
        raise NotAuthenticated(detail)
    if not user.is_active:
        raise InactiveUser
    return user


async def get_active_user(session: AsyncSession, user_id: UUID) -> User:
    """The user with this id.

    Raises:
        NotAuthenticated: there is none any more.
        InactiveUser: the account was switched off.
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
    """Remove the user and all that belongs to them."""
    await session.delete(user)
    await session.flush()
