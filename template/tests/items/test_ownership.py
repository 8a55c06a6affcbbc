"""Items belong to their owner."""

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.db.session import Database
from app.items.models import Item
from tests.conftest import client_of
from tests.items.test_items import create_item
from tests.users.fixtures import log_in


async def test_item_embeds_its_owner(client: httpx2.AsyncClient) -> None:
    me = (await client.get("/users/me")).json()
    item = await create_item(client)
    assert (str(item.owner.id), item.owner.email) == (me["id"], me["email"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_item_of_another_user_is_not_found(
    app: FastAPI, client: httpx2.AsyncClient, method: str
) -> None:
    item = await create_item(client)
    path = f"/items/{item.id}"
    async with client_of(app) as other:
        await log_in(other)
        json = {"title": "mine"} if method == "PATCH" else None
        assert (await other.request(method, path, json=json)).status_code == 404
        assert (await other.get("/items")).json()["items"] == []
    assert (await client.get(path)).json()["title"] == item.title


async def test_anonymous_caller_is_refused(app: FastAPI) -> None:
    async with client_of(app) as anonymous:
        response = await anonymous.get("/items")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


async def test_items_are_deleted_with_their_owner(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await create_item(client)
    assert (await client.delete("/users/me")).status_code == 204
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Item)) == 0
