"""Users and their passwords."""

from contextlib import suppress
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.errors import ConstraintViolated
from app.db.session import Database
from app.users.emails import normalize_email
from app.users.errors import EmailTaken, InactiveUser, NotAuthenticated, WrongPassword
from app.users.models import User
from app.users.security import Security

WRONG_LOG_IN = "The e-mail address or the password is wrong."


async def create_user(
    session: AsyncSession, security: Security, *, email: str, password: str
) -> User:
    """Add a user.

    Raises:
        ValueError: the address is not valid.
        EmailTaken: another account has the address, even one of a concurrent request.
    """
    user = User(email=normalize_email(email), password_hash=await security.hash(password))
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

    No connection is held while the password is verified, which is slow by design. What depends on
    the log-in calls `confirm_log_in` in its transaction.

    Raises:
        NotAuthenticated: the address or the password is wrong.
        InactiveUser: the account was deactivated.
    """
    with suppress(ValueError):  # no account has what is not an address
        email = normalize_email(email)
    async with database.read() as session:
        user = await session.scalar(select(User).filter_by(email=email))
    matches = await security.verify(password, user.password_hash if user else None)
    if user is None or not matches:
        raise NotAuthenticated(WRONG_LOG_IN)
    if not user.is_active:
        raise InactiveUser
    return user


async def confirm_log_in(session: AsyncSession, user: User) -> None:
    """Check that the password with which the user was authenticated is still theirs.

    The row is locked for share, so that a change of the password waits for the end of this
    transaction.

    Raises:
        NotAuthenticated: the password was changed, or the account deleted, meanwhile.
        InactiveUser: the account was deactivated meanwhile.
    """
    current = await get_active_user(session, user.id, lock="share")
    if current.password_hash != user.password_hash:
        raise NotAuthenticated(WRONG_LOG_IN)


async def get_active_user(
    session: AsyncSession, user_id: UUID, *, lock: Literal["share", "update"] | None = None
) -> User:
    """The user with this id; `lock` locks the row until the transaction ends.

    Raises:
        NotAuthenticated: the user does not exist any more.
        InactiveUser: the account was deactivated.
    """
    for_update = {"read": lock == "share"} if lock else None
    user = await session.get(User, user_id, with_for_update=for_update)
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
        WrongPassword: `current` is not the user's password, or not any more.
        NotAuthenticated: the account was deleted meanwhile.
        InactiveUser: the account was deactivated meanwhile.
    """
    if not await security.verify(current, user.password_hash):
        raise WrongPassword
    new_hash = await security.hash(new)
    stored = await get_active_user(session, user.id, lock="update")
    if stored.password_hash != user.password_hash:
        raise WrongPassword
    stored.password_hash = new_hash
    await session.flush()


async def delete_user(session: AsyncSession, user_id: UUID) -> None:
    """Delete the user and everything that belongs to them.

    Raises:
        NotAuthenticated: the user does not exist any more.
        InactiveUser: the account was deactivated.
    """
    user = await get_active_user(session, user_id, lock="update")
    await session.delete(user)
    await session.flush()
