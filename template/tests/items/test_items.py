"""Items over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from polyfactory import Use
from polyfactory.factories.pydantic_factory import ModelFactory
from sqlalchemy import URL

from app.items.schemas import ItemCreate, ItemRead
from app.main import create_app
from tests.conftest import settings_for


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


def ids(page: httpx2.Response) -> Sequence[UUID]:
    """The ids of the items on a page."""
    return [UUID(item["id"]) for item in page.json()["items"]]


async def test_created_item_is_read_back(client: httpx2.AsyncClient) -> None:
    body = ItemFactory.build(description="brass").model_dump()
    created = await client.post("/items", json=body | {"title": " lamp "})
    assert created.status_code == 201
    assert created.json()["title"] == "lamp"
    assert created.headers["location"] == f"/items/{created.json()['id']}"
    read = await client.get(created.headers["location"])
    assert read.status_code == 200
    assert read.json() == created.json()
    assert read.headers["etag"] == created.headers["etag"]


def test_headers_are_documented(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert "Link" in paths["/items"]["get"]["responses"]["200"]["headers"]
    assert {"ETag", "Location"} <= {*paths["/items"]["post"]["responses"]["201"]["headers"]}
    for method, status in [("get", "200"), ("get", "304"), ("patch", "200")]:
        responses = paths["/items/{item_id}"][method]["responses"]
        assert responses[status]["headers"]["ETag"]["description"]


async def test_patch_changes_only_what_is_sent(client: httpx2.AsyncClient) -> None:
    item = await create_item(client, title="lamp", description="brass")
    changed = await client.patch(f"/items/{item.id}", json={"description": "silver"})
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["description"]) == ("lamp", "silver")
    assert ItemRead.model_validate(changed.json()).updated_at > item.updated_at
    assert (await client.get(f"/items/{item.id}")).json() == changed.json()


async def test_description_can_be_emptied(client: httpx2.AsyncClient) -> None:
    item = await create_item(client, description="brass")
    emptied = await client.patch(f"/items/{item.id}", json={"description": ""})
    assert emptied.json()["description"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": None},
        {"title": 7},
        {"title": "two\nlines"},
        {"title": "nul\0"},
        {"title": "x" * 201},
        {"description": "nul\0"},
        {"description": None},
    ],
)
async def test_invalid_change_is_refused(client: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    item = await create_item(client)
    response = await client.patch(f"/items/{item.id}", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    unchanged = (await client.get(f"/items/{item.id}")).json()
    assert (unchanged["title"], unchanged["description"]) == (item.title, item.description)


async def test_lone_surrogate_is_refused(client: httpx2.AsyncClient) -> None:
    response = await client.post(
        "/items", content=b'{"title": "\\ud800"}', headers={"content-type": "application/json"}
    )
    assert response.status_code == 422


async def test_deleted_item_is_gone(client: httpx2.AsyncClient) -> None:
    path = f"/items/{(await create_item(client)).id}"
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_unknown_item_is_not_found(client: httpx2.AsyncClient, method: str) -> None:
    json = {"title": "lamp"} if method == "PATCH" else None
    response = await client.request(method, f"/items/{uuid4()}", json=json)
    assert response.status_code == 404
    assert response.json()["type"] == "item-not-found"


async def test_pages_hold_every_item_once_newest_first(client: httpx2.AsyncClient) -> None:
    created = [(await create_item(client)).id for _ in range(5)]
    seen: list[UUID] = []
    query = {"limit": "2"}
    for size in (2, 2, 1):
        page = await client.get("/items", params=query)
        assert len(ids(page)) == size
        seen += ids(page)
        query["cursor"] = page.json()["next_cursor"]
    assert query["cursor"] is None
    assert seen == created[::-1]


async def test_pages_are_stable_while_items_come_and_go(client: httpx2.AsyncClient) -> None:
    created = [(await create_item(client)).id for _ in range(4)]
    first = (await client.get("/items", params={"limit": 2})).json()
    await create_item(client)
    await client.delete(f"/items/{created[2]}")
    second = await client.get("/items", params={"limit": 2, "cursor": first["next_cursor"]})
    assert ids(second) == [created[1], created[0]]


async def test_link_header_leads_through_all_pages(client: httpx2.AsyncClient) -> None:
    created = [(await create_item(client)).id for _ in range(5)]
    seen: list[UUID] = []
    target = "/items?limit=2"
    while target:
        page = await client.get(target)
        seen += ids(page)
        link = page.links.get("next")
        assert bool(link) == bool(page.json()["next_cursor"])
        target = str(page.url.join(link["url"])) if link else ""
    assert seen == created[::-1]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
async def test_limit_is_bounded(client: httpx2.AsyncClient, limit: str) -> None:
    assert (await client.get("/items", params={"limit": limit})).status_code == 422


@pytest.mark.parametrize("cursor", ["", "x", "é", "x" * 22])
async def test_forged_cursor_is_refused(client: httpx2.AsyncClient, cursor: str) -> None:
    assert (await client.get("/items", params={"cursor": cursor})).status_code == 422


async def test_unchanged_item_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    path = f"/items/{(await create_item(client)).id}"
    etag = (await client.get(path)).headers["etag"]
    again = await client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    changed = await client.patch(path, json={"description": "brass"})
    fresh = await client.get(path, headers={"If-None-Match": etag})
    assert fresh.status_code == 200
    assert fresh.headers["etag"] == changed.headers["etag"] != etag


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_change_of_an_outdated_version_is_refused(
    client: httpx2.AsyncClient, method: str
) -> None:
    path = f"/items/{(await create_item(client)).id}"
    outdated = {"If-Match": (await client.get(path)).headers["etag"]}
    json = {"description": "mine"} if method == "PATCH" else None
    await client.patch(path, json={"description": "theirs"}, headers=outdated)
    refused = await client.request(method, path, json=json, headers=outdated)
    assert (refused.status_code, refused.json()["type"]) == (412, "precondition-failed")
    read = await client.get(path)
    assert read.json()["description"] == "theirs"
    current = {"If-Match": read.headers["etag"]}
    assert (await client.request(method, path, json=json, headers=current)).is_success


class TestConcurrentChanges:
    """Changes of one item at the same time."""

    @pytest.fixture
    async def app(self, own_database: URL) -> AsyncIterator[FastAPI]:
        """The application with a pool of connections, so that its requests do run concurrently."""
        app = create_app(settings_for(own_database))
        async with app.router.lifespan_context(app):
            yield app

    async def test_one_change_of_a_version_succeeds(self, client: httpx2.AsyncClient) -> None:
        """The others are refused, and change nothing."""
        path = f"/items/{(await create_item(client)).id}"
        seen = {"If-Match": (await client.get(path)).headers["etag"]}
        bodies = [{"description": str(number)} for number in range(10)]
        responses = await asyncio.gather(
            *(client.patch(path, json=body, headers=seen) for body in bodies)
        )
        assert sorted(response.status_code for response in responses) == [200] + [412] * 9
        [changed] = [response for response in responses if response.is_success]
        assert (await client.get(path)).json() == changed.json()
