"""The table of items."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base
from app.core.models import CreatedAt, Identifier, UpdatedAt


class Item(Base):
    """Something that is kept here."""

    __tablename__ = "items"

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
