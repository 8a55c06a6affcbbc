"""The table of items."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped
from sqlmodel import Field, Relationship
from uuid_utils.compat import uuid7

from app.db.base import Base, UTCDateTime, utc_now
from app.db.engine import IDENTIFIER
from app.users.models import User


class Item(Base, table=True):
    """Something that a user keeps here."""

    table_name = "items"
    # A user's items by the page: see app.core.pagination.
    __table_args__ = (Index(None, "owner_id", "id"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True, sa_type=IDENTIFIER)
    owner_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", sa_type=IDENTIFIER)
    name: str = Field(max_length=200)
    description: str = Field(sa_type=Text)
    # Counts the changes, for ETags; the server's default is for rows that came before the column.
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    created_at: datetime = Field(default_factory=utc_now, sa_type=UTCDateTime)
    updated_at: datetime = Field(
        default_factory=utc_now, sa_type=UTCDateTime, sa_column_kwargs={"onupdate": utc_now}
    )

    owner: Mapped[User] = Relationship(sa_relationship_kwargs={"lazy": "raise"})
