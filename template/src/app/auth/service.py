"""The rules about refresh tokens: rotation, and what happens when one comes back."""

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.auth.errors import InvalidRefreshToken
from app.auth.models import RefreshToken
from app.db.base import utc_now
from app.db.session import commit_before_refusal
from app.users.service import get_active_user


async def issue_refresh_token(
    session: AsyncSession, user_id: UUID, *, days: int, family_id: UUID | None = None
) -> str:
    """A new refresh token; without `family_id` the first one of a new family."""
    now = utc_now()
    token = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            user_id=user_id,
            family_id=family_id or uuid7(),
            token_hash=_hash(token),
            expires_at=now + timedelta(days=days),
        )
    )
    # Each log-in and each rotation clears away what the user's expired ones left.
    of_user = delete(RefreshToken).filter_by(user_id=user_id)
    await session.execute(of_user.where(RefreshToken.expired(now)))
    await session.flush()
    return token


async def rotate(session: AsyncSession, token: str, *, days: int) -> tuple[UUID, str]:
    """Exchange a refresh token for the next one of its family; also returns the user's id.

    Raises:
        InvalidRefreshToken: unknown or expired; or used before, which revokes the whole family.
        InactiveUser: the account was switched off.
    """
    stored = await session.scalar(
        select(RefreshToken).filter_by(token_hash=_hash(token)).with_for_update()
    )
    if stored is None or stored.expires_at < utc_now():
        raise InvalidRefreshToken
    if stored.used_at is not None:
        await _revoke_family(session, stored.family_id)
        await commit_before_refusal(session)
        raise InvalidRefreshToken
    await get_active_user(session, stored.user_id)
    stored.used_at = utc_now()
    following = await issue_refresh_token(
        session, stored.user_id, days=days, family_id=stored.family_id
    )
    return stored.user_id, following


async def revoke(session: AsyncSession, token: str) -> None:
    """Log out: no token of this one's family works any more. An unknown token is fine."""
    stored = await session.scalar(select(RefreshToken).filter_by(token_hash=_hash(token)))
    if stored is not None:
        await _revoke_family(session, stored.family_id)


async def revoke_all(session: AsyncSession, user_id: UUID) -> None:
    """Log the user out everywhere."""
    await session.execute(delete(RefreshToken).filter_by(user_id=user_id))


async def _revoke_family(session: AsyncSession, family_id: UUID) -> None:
    await session.execute(delete(RefreshToken).filter_by(family_id=family_id))


def _hash(token: str) -> str:
    """A fast hash is enough for 256 random bits."""
    return sha256(token.encode()).hexdigest()
