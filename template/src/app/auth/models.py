"""The table of refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, Identifier


class RefreshToken(Base):
    """The refresh token of one log-in, whose secret is replaced each time that it is used.

    A log-out, a change of the password and the deletion of the account delete the row. A request
    that replaces the secret at the same time waits for its lock, so no token outlives them.
    """

    __tablename__ = "refresh_tokens"

    id: Mapped[Identifier]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    created_at: Mapped[CreatedAt]

    @classmethod
    def expired(cls, now: datetime) -> ColumnElement[bool]:
        """The SQL condition for expired tokens."""
        return cls.expires_at < now
