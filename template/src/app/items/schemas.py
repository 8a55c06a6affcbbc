"""Request and response bodies of items."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.schemas import Line, Text

Description = Annotated[Text, Field(max_length=5000)]


class ItemCreate(BaseModel):
    """A new item."""

    title: Line
    description: Description = ""


class ItemUpdate(BaseModel):
    """Changes to an item; the defaults only mark the fields as optional."""

    title: Line = ""
    description: Description = ""


class Owner(BaseModel):
    """The user whom an item belongs to."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str


class ItemRead(BaseModel):
    """An item."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    description: str
    version: int = Field(description="Incremented by each change; quoted, it is the ETag.")
    owner: Owner
    created_at: datetime
    updated_at: datetime
