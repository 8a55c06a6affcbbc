"""The caller's account, from the cache."""

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.db.session import Database
from app.users.models import User

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
