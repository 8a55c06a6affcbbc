"""The table of refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Field, col
from uuid_utils.compat import uuid7

from app.db.base import Base, utc_now


class RefreshToken(Base, table=True):
    """A refresh token, stored as a hash.

    The tokens that descend from one log-in are a family. Each may be used once: a second use means
    that it was stolen, and the whole family is deleted.
    """

    table_name = "refresh_tokens"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    family_id: UUID = Field(index=True)
    token_hash: str = Field(max_length=64, unique=True)
    expires_at: datetime
    used_at: datetime | None = None
    created_at: datetime = Field(default_factory=utc_now)

    @classmethod
    def expired(cls, now: datetime) -> ColumnElement[bool]:
        """The SQL condition for expired tokens."""
        return col(cls.expires_at) < now
