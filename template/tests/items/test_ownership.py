"""Items belong to their owner."""

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.db.session import Database
from tests.accounts import log_in, register
from tests.conftest import client_of


async def create(caller: httpx2.AsyncClient) -> str:
    return str((await caller.post("/items", json={"name": "lamp"})).json()["id"])


async def test_answer_embeds_the_owner(client: httpx2.AsyncClient) -> None:
    email = await register(client)
    caller = await log_in(client, email)
    me = (await caller.get("/users/me")).json()
    item = (await caller.post("/items", json={"name": "lamp"})).json()
    assert item["owner"] == {"id": me["id"], "email": email}


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_item_of_somebody_else_is_not_found(
    app: FastAPI, caller: httpx2.AsyncClient, method: str
) -> None:
    path = f"/items/{await create(caller)}"
    async with client_of(app) as other:
        await log_in(other)
        json = {"name": "mine"} if method == "PATCH" else None
        assert (await other.request(method, path, json=json)).status_code == 404
        assert (await other.get("/items")).json()["items"] == []
    assert (await caller.get(path)).json()["name"] == "lamp"


async def test_page_takes_the_same_statements_for_one_item_as_for_many(
    caller: httpx2.AsyncClient, database: Database
) -> None:
    statements: list[str] = []

    def count(*details: object) -> None:
        statements.append(str(details[2]))

    async def statements_of_a_page() -> int:
        statements.clear()
        event.listen(database.engine.sync_engine, "before_cursor_execute", count)
        assert (await caller.get("/items")).status_code == 200
        event.remove(database.engine.sync_engine, "before_cursor_execute", count)
        return len(statements)

    await create(caller)
    of_one = await statements_of_a_page()
    for _ in range(10):
        await create(caller)
    assert await statements_of_a_page() == of_one == 2


async def test_anonymous_callers_are_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/items")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_items_go_with_their_owner(caller: httpx2.AsyncClient, database: Database) -> None:
    await create(caller)
    assert (await caller.delete("/users/me")).status_code == 204
    async with database.read() as session:
        connection = await session.connection()
        rows = await connection.exec_driver_sql("SELECT count(*) FROM items")
        assert rows.scalar_one() == 0
