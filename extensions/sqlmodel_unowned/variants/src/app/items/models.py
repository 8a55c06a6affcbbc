"""The table of items."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field
from uuid_utils.compat import uuid7

from app.db.base import Base, utc_now


class Item(Base, table=True):
    """An item."""

    table_name = "items"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    title: str = Field(max_length=200)
    description: str = Field(sa_type=Text)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """Incremented by each change; the ETag."""
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})
