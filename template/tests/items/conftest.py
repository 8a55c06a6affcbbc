"""The client of the tests of items."""

import httpx2
import pytest

from tests.users.fixtures import log_in


@pytest.fixture
async def client(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client that is logged in."""
    await log_in(client)
    return client
