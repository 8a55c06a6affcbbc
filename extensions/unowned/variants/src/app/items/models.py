"""The table of items."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, Identifier, UpdatedAt


class Item(Base):
    """An item."""

    __tablename__ = "items"

    id: Mapped[Identifier]
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Incremented by each change; the ETag."""
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
