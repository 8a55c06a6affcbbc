"""The table of items."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, CreatedAt, Identifier, UpdatedAt
from app.users.models import User


class Item(Base):
    """An item, which belongs to one user."""

    __tablename__ = "items"
    # For the pages of a user's items: see app.core.pagination.
    __table_args__ = (Index(None, "owner_id", "id"),)

    id: Mapped[Identifier]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Incremented by each change; the ETag."""
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    owner: Mapped[User] = relationship(lazy="raise")
