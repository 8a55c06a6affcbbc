"""The table of refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Field, col
from uuid_utils.compat import uuid7

from app.db.base import Base, utc_now


class RefreshToken(Base, table=True):
    """The refresh token of one log-in, whose secret is replaced each time that it is used.

    A log-out, a change of the password and the deletion of the account delete the row. A request
    that replaces the secret at the same time waits for its lock, so no token outlives them.
    """

    table_name = "refresh_tokens"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    token_hash: str = Field(max_length=64)
    expires_at: datetime
    created_at: datetime = Field(default_factory=utc_now)

    @classmethod
    def expired(cls, now: datetime) -> ColumnElement[bool]:
        """The SQL condition for expired tokens."""
        return col(cls.expires_at) < now
