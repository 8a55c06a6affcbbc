"""The table of items."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field
from uuid_utils.compat import uuid7

from app.db.base import Base, UTCDateTime, utc_now
from app.db.engine import IDENTIFIER


class Item(Base, table=True):
    """Something that is kept here."""

    table_name = "items"

    id: UUID = Field(default_factory=uuid7, primary_key=True, sa_type=IDENTIFIER)
    name: str = Field(max_length=200)
    description: str = Field(sa_type=Text)
    # Counts the changes, for ETags; the server's default is for rows that came before the column.
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    created_at: datetime = Field(default_factory=utc_now, sa_type=UTCDateTime)
    updated_at: datetime = Field(
        default_factory=utc_now, sa_type=UTCDateTime, sa_column_kwargs={"onupdate": utc_now}
    )
