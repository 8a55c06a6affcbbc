"""The table of refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, Identifier


class RefreshToken(Base):
    """A refresh token, of which only the hash is known here.

    All that come from one log-in are a family. Each may be used once; the second use of one shows
    that it was stolen, and the family is deleted.
    """

    __tablename__ = "refresh_tokens"

    id: Mapped[Identifier]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]

    @classmethod
    def expired(cls, now: datetime) -> ColumnElement[bool]:
        """The condition of a query for tokens that nobody can use any more."""
        return cls.expires_at < now
