"""The table of users."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field
from uuid_utils.compat import uuid7

from app.db.base import Base, utc_now


class User(Base, table=True):
    """An account; the e-mail address, as `normalize_email` spells it, is the user name."""

    table_name = "users"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    email: str = Field(max_length=254, unique=True)
    password_hash: str = Field(max_length=255)
    is_active: bool = True
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})
