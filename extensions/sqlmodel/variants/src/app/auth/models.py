"""The table of refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Field, col
from uuid_utils.compat import uuid7

from app.db.base import Base, UTCDateTime, utc_now
from app.db.engine import IDENTIFIER


class RefreshToken(Base, table=True):
    """A refresh token, of which only the hash is known here.

    All that come from one log-in are a family. Each may be used once; the second use of one shows
    that it was stolen, and the family is deleted.
    """

    table_name = "refresh_tokens"

    id: UUID = Field(default_factory=uuid7, primary_key=True, sa_type=IDENTIFIER)
    user_id: UUID = Field(
        foreign_key="users.id", ondelete="CASCADE", index=True, sa_type=IDENTIFIER
    )
    family_id: UUID = Field(index=True, sa_type=IDENTIFIER)
    token_hash: str = Field(max_length=64, unique=True)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UTCDateTime)

    @classmethod
    def expired(cls, now: datetime) -> ColumnElement[bool]:
        """The condition of a query for tokens that nobody can use any more."""
        return col(cls.expires_at) < now
