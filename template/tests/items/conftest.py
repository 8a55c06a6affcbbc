"""Somebody who has items."""

import httpx2
import pytest

from tests.accounts import log_in


@pytest.fixture
async def caller(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client that may use items."""
    return await log_in(client)
