"""Refresh tokens: rotation, reuse detection and revocation."""

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
    """A new refresh token; without `family_id`, the first of a new family."""
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
    # Expired tokens of the user are deleted by the way, so that they do not accumulate.
    of_user = delete(RefreshToken).filter_by(user_id=user_id)
    await session.execute(of_user.where(RefreshToken.expired(now)))
    await session.flush()
    return token


async def rotate(session: AsyncSession, token: str, *, days: int) -> tuple[UUID, str]:
    """Replace a refresh token by the next of its family; returns the user's id and the new token.

    Raises:
        InvalidRefreshToken: unknown, expired, or already used, which revokes its whole family.
        InactiveUser: the account was deactivated.
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
    successor = await issue_refresh_token(
        session, stored.user_id, days=days, family_id=stored.family_id
    )
    return stored.user_id, successor


async def revoke(session: AsyncSession, token: str) -> None:
    """Revoke the token's whole family; an unknown token is ignored."""
    stored = await session.scalar(select(RefreshToken).filter_by(token_hash=_hash(token)))
    if stored is not None:
        await _revoke_family(session, stored.family_id)


async def revoke_all(session: AsyncSession, user_id: UUID) -> None:
    """Revoke all refresh tokens of the user."""
    await session.execute(delete(RefreshToken).filter_by(user_id=user_id))


async def _revoke_family(session: AsyncSession, family_id: UUID) -> None:
    await session.execute(delete(RefreshToken).filter_by(family_id=family_id))


def _hash(token: str) -> str:
    """SHA-256: a slow hash is needless for 256 random bits."""
    return sha256(token.encode()).hexdigest()
