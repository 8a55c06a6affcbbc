"""The table of items."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, Identifier, UpdatedAt


class Item(Base):
    """Something that is kept here."""

    __tablename__ = "items"

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    # Counts the changes, for ETags; the server's default is for rows that came before the column.
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
