"""The table of items."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped
from sqlmodel import Field, Relationship
from uuid_utils.compat import uuid7

from app.db.base import Base, utc_now
from app.users.models import User


class Item(Base, table=True):
    """An item, which belongs to one user."""

    table_name = "items"
    # For the pages of a user's items: see app.core.pagination.
    __table_args__ = (Index(None, "owner_id", "id"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    owner_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    title: str = Field(max_length=200)
    description: str = Field(sa_type=Text)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """Incremented by each change; the ETag."""
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})

    owner: Mapped[User] = Relationship(sa_relationship_kwargs={"lazy": "raise"})
