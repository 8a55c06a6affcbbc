"""Somebody who uses items."""

import httpx2
import pytest


@pytest.fixture
def caller(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client that may use items: any."""
    return client
