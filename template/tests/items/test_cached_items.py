"""One item, from the cache."""

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.db.session import Database
from app.items.models import Item
from tests.items.conftest import authorise


@pytest.fixture
async def item(cached_client: httpx2.AsyncClient) -> str:
    """The path of an item that was read once."""
    await authorise(cached_client)
    created = await cached_client.post("/items", json={"name": "first"})
    path = f"/items/{created.json()['id']}"
    assert (await cached_client.get(path)).json() == created.json()
    return path


async def test_second_answer_asks_no_database(
    cached_client: httpx2.AsyncClient, cached_app: FastAPI, item: str
) -> None:
    database: Database = cached_app.state.database
    async with database.write.begin() as session:
        # A statement that the cache is not told of shows where the answer comes from.
        await session.execute(update(Item).values(name="second"))
    answer = await cached_client.get(item)
    assert (answer.json()["name"], answer.headers["ETag"]) == ("first", '"1"')


async def test_change_is_seen_at_once(cached_client: httpx2.AsyncClient, item: str) -> None:
    for name in ("second", "third"):
        assert (await cached_client.patch(item, json={"name": name})).status_code == 200
        assert (await cached_client.get(item)).json()["name"] == name


async def test_deleted_item_is_gone_at_once(cached_client: httpx2.AsyncClient, item: str) -> None:
    assert (await cached_client.delete(item)).status_code == 204
    assert (await cached_client.get(item)).status_code == 404


async def test_refused_change_leaves_the_answer(
    cached_client: httpx2.AsyncClient, item: str
) -> None:
    stale = {"If-Match": '"7"'}
    answer = await cached_client.patch(item, json={"name": "second"}, headers=stale)
    assert answer.status_code == 412
    assert (await cached_client.get(item)).json()["name"] == "first"
