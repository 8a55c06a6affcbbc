"""Request and response bodies of items."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.schemas import Changes, Line, Text

Title = Annotated[Line, Field(examples=["Umbrella"])]
Description = Annotated[Text, Field(max_length=5000, examples=["Black, with a wooden handle"])]


class ItemCreate(BaseModel):
    """A new item."""

    title: Title
    description: Description = ""


class ItemUpdate(Changes):
    """Changes to an item."""

    title: Title = ""
    description: Description = ""


class ItemRead(BaseModel):
    """An item."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str = Field(examples=["Umbrella"])
    description: str = Field(examples=["Black, with a wooden handle"])
    version: int = Field(description="Incremented by each change; quoted, it is the ETag.")
    created_at: datetime
    updated_at: datetime
