"""One's own account, from the cache."""

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.db.session import Database
from app.users.models import User
from tests.accounts import log_in


@pytest.fixture
async def caller(cached_client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    return await log_in(cached_client)


async def test_second_answer_asks_no_database(
    caller: httpx2.AsyncClient, cached_app: FastAPI
) -> None:
    first = await caller.get("/users/me")
    database: Database = cached_app.state.database
    async with database.write.begin() as session:
        # A statement that the cache is not told of shows where the answer comes from.
        await session.execute(update(User).values(email="changed@example.org"))
    assert (await caller.get("/users/me")).json() == first.json()


async def test_deleted_account_is_refused_at_once(caller: httpx2.AsyncClient) -> None:
    assert (await caller.get("/users/me")).status_code == 200
    assert (await caller.delete("/users/me")).status_code == 204
    assert (await caller.get("/users/me")).status_code == 401


async def test_account_that_is_switched_off_is_refused_at_once(
    caller: httpx2.AsyncClient, cached_app: FastAPI
) -> None:
    assert (await caller.get("/users/me")).status_code == 200
    database: Database = cached_app.state.database
    async with database.write.begin() as session:
        (await session.scalars(select(User))).one().is_active = False
    assert (await caller.get("/users/me")).status_code == 403
