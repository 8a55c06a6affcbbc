"""The table of items."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, CreatedAt, Identifier, UpdatedAt
from app.users.models import User


class Item(Base):
    """Something that a user keeps here."""

    __tablename__ = "items"
    # A user's items by the page: see app.core.pagination.
    __table_args__ = (Index(None, "owner_id", "id"),)

    id: Mapped[Identifier]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    # Counts the changes, for ETags; the server's default is for rows that came before the column.
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    owner: Mapped[User] = relationship(lazy="raise")
