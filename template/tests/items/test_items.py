"""Items over HTTP."""

import asyncio
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import URL

from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.items.conftest import authorise


async def create(caller: httpx2.AsyncClient, name: str = "lamp") -> str:
    answer = await caller.post("/items", json={"name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_created_item_is_read_back(caller: httpx2.AsyncClient) -> None:
    created = await caller.post("/items", json={"name": " lamp ", "description": "brass"})
    assert created.status_code == 201
    assert created.json()["name"] == "lamp"
    read = await caller.get(f"/items/{created.json()['id']}")
    assert read.status_code == 200
    assert read.json() == created.json()
    assert read.headers["etag"] == created.headers["etag"]


async def test_patch_changes_only_what_is_sent(caller: httpx2.AsyncClient) -> None:
    created = await caller.post("/items", json={"name": "lamp", "description": "brass"})
    path = f"/items/{created.json()['id']}"
    changed = await caller.patch(path, json={"description": "silver"})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["description"]) == ("lamp", "silver")
    assert changed.json()["updated_at"] > created.json()["updated_at"]
    assert (await caller.get(path)).json() == changed.json()
    emptied = await caller.patch(path, json={"description": ""})
    assert emptied.json()["description"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": None},
        {"name": 7},
        {"name": "two\nlines"},
        {"name": "nul\0"},
        {"name": "x" * 201},
        {"description": "nul\0"},
        {"description": None},
    ],
)
async def test_invalid_changes_are_refused(
    caller: httpx2.AsyncClient, body: dict[str, object]
) -> None:
    path = f"/items/{await create(caller)}"
    answer = await caller.patch(path, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await caller.get(path)).json()["name"] == "lamp"


async def test_lone_surrogate_is_refused(caller: httpx2.AsyncClient) -> None:
    answer = await caller.post(
        "/items", content=b'{"name": "\\ud800"}', headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


async def test_deleted_item_is_gone(caller: httpx2.AsyncClient) -> None:
    path = f"/items/{await create(caller)}"
    assert (await caller.delete(path)).status_code == 204
    assert (await caller.get(path)).status_code == 404
    assert (await caller.delete(path)).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_unknown_item_is_a_problem(caller: httpx2.AsyncClient, method: str) -> None:
    json = {"name": "lamp"} if method == "PATCH" else None
    answer = await caller.request(method, f"/items/{uuid4()}", json=json)
    assert answer.status_code == 404
    assert answer.json()["type"] == "item-not-found"


async def test_pages_hold_every_item_once_newest_first(caller: httpx2.AsyncClient) -> None:
    created = [await create(caller, f"item {number}") for number in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for size in (2, 2, 1):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await caller.get("/items", params=query)).json()
        assert len(page["items"]) == size
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == created[::-1]


async def test_pages_are_stable_while_items_come_and_go(caller: httpx2.AsyncClient) -> None:
    created = [await create(caller) for _ in range(4)]
    first = (await caller.get("/items", params={"limit": 2})).json()
    await create(caller, "newer")
    await caller.delete(f"/items/{created[2]}")
    second = await caller.get("/items", params={"limit": 2, "cursor": first["next_cursor"]})
    assert [item["id"] for item in second.json()["items"]] == [created[1], created[0]]


async def test_link_leads_through_all_pages(caller: httpx2.AsyncClient) -> None:
    created = [await create(caller) for _ in range(5)]
    seen: list[str] = []
    target = "/items?limit=2"
    while target:
        page = await caller.get(target)
        seen += [item["id"] for item in page.json()["items"]]
        link = page.links.get("next")
        assert bool(link) == bool(page.json()["next_cursor"])
        target = str(page.url.join(link["url"])) if link else ""
    assert seen == created[::-1]


async def test_unchanged_item_is_not_sent_again(caller: httpx2.AsyncClient) -> None:
    path = f"/items/{await create(caller)}"
    etag = (await caller.get(path)).headers["etag"]
    again = await caller.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    changed = await caller.patch(path, json={"description": "brass"})
    fresh = await caller.get(path, headers={"If-None-Match": etag})
    assert fresh.status_code == 200
    assert fresh.headers["etag"] == changed.headers["etag"] != etag


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_change_of_another_version_than_the_one_seen_is_refused(
    caller: httpx2.AsyncClient, method: str
) -> None:
    path = f"/items/{await create(caller)}"
    seen = {"If-Match": (await caller.get(path)).headers["etag"]}
    json = {"description": "mine"} if method == "PATCH" else None
    await caller.patch(path, json={"description": "theirs"}, headers=seen)
    refused = await caller.request(method, path, json=json, headers=seen)
    assert (refused.status_code, refused.json()["type"]) == (412, "precondition-failed")
    now = await caller.get(path)
    assert now.json()["description"] == "theirs"
    current = {"If-Match": now.headers["etag"]}
    assert (await caller.request(method, path, json=json, headers=current)).is_success


async def test_of_concurrent_changes_of_one_version_one_is_made(own_database: URL) -> None:
    app = create_app(settings_for(own_database))
    async with client_of(app) as caller:
        await authorise(caller)
        path = f"/items/{await create(caller)}"
        seen = {"If-Match": (await caller.get(path)).headers["etag"]}
        answers = await asyncio.gather(
            *(
                caller.patch(path, json={"description": str(number)}, headers=seen)
                for number in range(10)
            )
        )
        made = [answer for answer in answers if answer.status_code == 200]
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
        assert (await caller.get(path)).json() == made[0].json()
    await app.state.database.close()


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
async def test_limit_is_bounded(caller: httpx2.AsyncClient, limit: str) -> None:
    assert (await caller.get("/items", params={"limit": limit})).status_code == 422


async def test_forged_cursor_is_refused(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/items", params={"cursor": "forged"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "invalid-request"
