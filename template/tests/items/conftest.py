"""Test data for items, and a client that may have some."""

import httpx2
import pytest
from polyfactory import Use
from polyfactory.factories.pydantic_factory import ModelFactory

from app.items.schemas import ItemCreate, ItemRead
from tests.users.fixtures import log_in


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


@pytest.fixture
async def client(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client that is logged in."""
    await log_in(client)
    return client
