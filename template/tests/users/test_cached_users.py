"""The caller's account, from the cache."""

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.db.session import Database
from app.users.models import User
from app.users.schemas import Credentials

pytestmark = pytest.mark.usefixtures("tokens")


@pytest.fixture
async def app(cached_app: FastAPI) -> FastAPI:
    """The application with a cache."""
    return cached_app


async def test_cached_account_is_not_read_from_the_database(
    client: httpx2.AsyncClient, app: FastAPI
) -> None:
    first = await client.get("/users/me")
    database: Database = app.state.database
    async with database.write.begin() as session:
        # A bulk update that does not invalidate the cache shows where the response comes from.
        await session.execute(update(User).values(email="changed@example.org"))
    assert (await client.get("/users/me")).json() == first.json()


async def test_deleted_account_is_refused_at_once(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/users/me")).status_code == 200
    assert (await client.delete("/users/me")).status_code == 204
    assert (await client.get("/users/me")).status_code == 401


async def test_deactivated_account_is_refused_at_once(
    client: httpx2.AsyncClient, app: FastAPI
) -> None:
    assert (await client.get("/users/me")).status_code == 200
    database: Database = app.state.database
    async with database.write.begin() as session:
        (await session.scalars(select(User))).one().is_active = False
    assert (await client.get("/users/me")).status_code == 403


async def test_account_deactivated_by_sql_is_served_from_the_cache_only(
    client: httpx2.AsyncClient, app: FastAPI, account: Credentials
) -> None:
    assert (await client.get("/users/me")).status_code == 200
    database: Database = app.state.database
    async with database.write.begin() as session:
        await session.execute(update(User).values(is_active=False))
    assert (await client.get("/users/me")).status_code == 200
    change = {
        "current_password": account.password.get_secret_value(),
        "new_password": "another long password",
    }
    assert (await client.post("/users/me/password", json=change)).status_code == 403
    assert (await client.delete("/users/me")).status_code == 403
