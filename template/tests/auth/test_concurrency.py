"""Concurrent requests, and what is committed although a request is refused."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL, func, select

from app.auth.models import RefreshToken
from app.auth.schemas import TokenPair
from app.main import create_app
from app.users.models import User
from tests.conftest import client_of, settings_for
from tests.users.fixtures import CredentialsFactory, json_of, log_in


@pytest.fixture
async def app(own_database: URL) -> AsyncIterator[FastAPI]:
    """The application with a pool of connections, whose commits are real."""
    app = create_app(settings_for(own_database))
    async with app.router.lifespan_context(app):
        yield app


async def test_concurrent_registrations_of_one_address(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    body = json_of(CredentialsFactory.build())
    responses = await asyncio.gather(*(client.post("/auth/register", json=body) for _ in range(10)))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 9
    refused = [response for response in responses if not response.is_success]
    assert {response.json()["type"] for response in refused} == {"email-taken"}
    async with app.state.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_revocation_after_reuse_is_committed(
    app: FastAPI, client: httpx2.AsyncClient, tokens: TokenPair
) -> None:
    body = {"refresh_token": tokens.refresh_token}
    assert (await client.post("/auth/refresh", json=body)).status_code == 200
    assert (await client.post("/auth/refresh", json=body)).status_code == 401
    async with app.state.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(RefreshToken)) == 0


async def test_authenticated_request_holds_one_connection_at_a_time(own_database: URL) -> None:
    app = create_app(settings_for(own_database, database_pool_size=1, database_max_overflow=0))
    async with app.router.lifespan_context(app), client_of(app) as client:
        await log_in(client)
        responses = await asyncio.gather(*(client.get("/users/me") for _ in range(100)))
        assert {response.status_code for response in responses} == {200}
