"""Somebody who has items."""

import httpx2
import pytest

from tests.accounts import log_in


async def authorise(client: httpx2.AsyncClient) -> None:
    """Let the client use items: as a new user."""
    await log_in(client)


@pytest.fixture
async def caller(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client that may use items."""
    await authorise(client)
    return client
