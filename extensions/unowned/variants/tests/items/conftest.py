"""Test data for items."""

import httpx2
from polyfactory import Use
from polyfactory.factories.pydantic_factory import ModelFactory

from app.items.schemas import ItemCreate, ItemRead


class ItemFactory(ModelFactory[ItemCreate]):
    """The body of a request that creates an item."""

    title = Use(ModelFactory.__faker__.sentence)
    description = Use(ModelFactory.__faker__.text)


async def create_item(client: httpx2.AsyncClient, **fields: str) -> ItemRead:
    """Create an item over HTTP."""
    body = ItemFactory.build().model_dump() | fields
    response = await client.post("/items", json=body)
    assert response.status_code == 201, response.text
    return ItemRead.model_validate(response.json())
