"""Somebody who uses items."""

import httpx2
import pytest


async def authorise(client: httpx2.AsyncClient) -> None:
    """Let the client use items: anybody may."""
    assert "Authorization" not in client.headers


@pytest.fixture
async def caller(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client that may use items."""
    await authorise(client)
    return client
