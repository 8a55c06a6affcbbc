"""Concurrent changes of one item."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL

from app.main import create_app
from tests.conftest import settings_for
from tests.items.factories import create_item


@pytest.fixture
async def app(own_database: URL) -> AsyncIterator[FastAPI]:
    """The application with a pool of connections, so that its requests do run concurrently."""
    app = create_app(settings_for(own_database))
    async with app.router.lifespan_context(app):
        yield app


async def test_of_concurrent_changes_of_one_version_one_succeeds(
    client: httpx2.AsyncClient,
) -> None:
    path = f"/items/{(await create_item(client)).id}"
    seen = {"If-Match": (await client.get(path)).headers["etag"]}
    bodies = [{"description": str(number)} for number in range(10)]
    responses = await asyncio.gather(
        *(client.patch(path, json=body, headers=seen) for body in bodies)
    )
    assert sorted(response.status_code for response in responses) == [200] + [412] * 9
    [changed] = [response for response in responses if response.is_success]
    assert (await client.get(path)).json() == changed.json()
