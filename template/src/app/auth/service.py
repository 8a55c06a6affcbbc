"""Refresh tokens: rotation, detection of reuse and revocation (RFC 9700, section 4.14.2).

A token is `<id>.<secret>`: the id of its row, and a secret of which only a hash is stored. Requests
find rows by their id or by their user, so a database may find a deadlock: call these functions in
`in_transaction`, which retries.
"""

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.errors import InvalidRefreshToken
from app.auth.models import RefreshToken
from app.db.base import utc_now
from app.db.session import commit_before_refusal
from app.users.models import User
from app.users.service import confirm_log_in, get_active_user


async def issue_refresh_token(session: AsyncSession, user: User, *, days: int) -> str:
    """The refresh token of a new log-in of this user, who was just authenticated.

    Raises:
        NotAuthenticated: the password was changed, or the account deleted, meanwhile.
        InactiveUser: the account was deactivated meanwhile.
    """
    await confirm_log_in(session, user)
    now = utc_now()
    # Expired tokens of the user are deleted by the way, so that they do not accumulate.
    of_user = delete(RefreshToken).filter_by(user_id=user.id)
    await session.execute(of_user.where(RefreshToken.expired(now)))
    secret = secrets.token_urlsafe(32)
    stored = RefreshToken(
        user_id=user.id, token_hash=_hash(secret), expires_at=now + timedelta(days=days)
    )
    session.add(stored)
    await session.flush()
    return _token(stored, secret)


async def rotate(session: AsyncSession, token: str, *, days: int) -> tuple[UUID, str]:
    """Replace a token's secret; returns the user's id and the new token.

    Raises:
        InvalidRefreshToken: unknown, expired, revoked, or already used. Its use a second time means
            that it was stolen, and revokes the log-in.
        NotAuthenticated: the user does not exist any more.
        InactiveUser: the account was deactivated.
    """
    token_id, secret = _parse(token)
    stored = await session.get(RefreshToken, token_id, with_for_update=True)
    if stored is None or stored.expires_at < utc_now():
        raise InvalidRefreshToken
    if not secrets.compare_digest(stored.token_hash, _hash(secret)):
        await session.delete(stored)
        await commit_before_refusal(session)
        raise InvalidRefreshToken
    await get_active_user(session, stored.user_id)
    secret = secrets.token_urlsafe(32)
    stored.token_hash = _hash(secret)
    stored.expires_at = utc_now() + timedelta(days=days)
    await session.flush()
    return stored.user_id, _token(stored, secret)


async def revoke(session: AsyncSession, token: str) -> None:
    """Revoke a token, also by an earlier secret of it; an unknown token is ignored."""
    try:
        token_id, _ = _parse(token)
    except InvalidRefreshToken:
        return
    await session.execute(delete(RefreshToken).filter_by(id=token_id))


async def revoke_all(session: AsyncSession, user_id: UUID) -> None:
    """Revoke all refresh tokens of the user."""
    await session.execute(delete(RefreshToken).filter_by(user_id=user_id))


def _token(stored: RefreshToken, secret: str) -> str:
    return f"{stored.id.hex}.{secret}"


def _parse(token: str) -> tuple[UUID, str]:
    token_id, _, secret = token.partition(".")
    try:
        return UUID(token_id), secret
    except ValueError:
        raise InvalidRefreshToken from None


def _hash(secret: str) -> str:
    """SHA-256: a slow hash is needless for 256 random bits."""
    return sha256(secret.encode()).hexdigest()
