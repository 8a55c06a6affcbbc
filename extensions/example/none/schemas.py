"""Items in requests and answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.schemas import Line, Text

Description = Annotated[Text, Field(max_length=5000)]


class ItemCreate(BaseModel):
    """A new item."""

    name: Line
    description: Description = ""


class ItemUpdate(BaseModel):
    """What to change; a field that is not sent stays as it is, so no default is ever used."""

    name: Line = ""
    description: Description = ""


class ItemRead(BaseModel):
    """An item."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    description: str
    version: int = Field(description="Counts the changes; in quotes it is the ETag.")
    created_at: datetime
    updated_at: datetime


class ItemPage(BaseModel):
    """Some of the items, newest first."""

    items: list[ItemRead]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")
