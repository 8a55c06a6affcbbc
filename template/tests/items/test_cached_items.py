"""Cached items."""

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.db.session import Database
from app.items.models import Item
from tests.items.test_items import create_item


@pytest.fixture
async def app(cached_app: FastAPI) -> FastAPI:
    """The application with a cache."""
    return cached_app


@pytest.fixture
async def path(client: httpx2.AsyncClient) -> str:
    """The path of an item that is cached."""
    item = await create_item(client, title="first")
    path = f"/items/{item.id}"
    assert (await client.get(path)).status_code == 200
    return path


async def test_cached_item_is_not_read_from_the_database(
    client: httpx2.AsyncClient, app: FastAPI, path: str
) -> None:
    database: Database = app.state.database
    async with database.write.begin() as session:
        # A bulk update that does not invalidate the cache shows where the response comes from.
        await session.execute(update(Item).values(title="second"))
    response = await client.get(path)
    assert (response.json()["title"], response.headers["ETag"]) == ("first", '"1"')


async def test_change_is_visible_at_once(client: httpx2.AsyncClient, path: str) -> None:
    for title in ("second", "third"):
        assert (await client.patch(path, json={"title": title})).status_code == 200
        assert (await client.get(path)).json()["title"] == title


async def test_deleted_item_is_gone_at_once(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_refused_change_is_not_visible(client: httpx2.AsyncClient, path: str) -> None:
    outdated = {"If-Match": '"7"'}
    response = await client.patch(path, json={"title": "second"}, headers=outdated)
    assert response.status_code == 412
    assert (await client.get(path)).json()["title"] == "first"
