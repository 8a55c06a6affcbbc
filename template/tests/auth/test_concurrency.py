"""Concurrent requests, and what is committed although a request is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL, func, select

from app.auth.models import RefreshToken
from app.auth.schemas import TokenPair
from app.main import create_app
from app.users.models import User
from app.users.schemas import Credentials
from tests.conftest import client_of, settings_for
from tests.users.fixtures import CredentialsFactory, form_of, json_of, log_in, register

Call = Callable[[httpx2.AsyncClient, Credentials, TokenPair], Awaitable[httpx2.Response]]


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


async def log_in_again(
    client: httpx2.AsyncClient, account: Credentials, _tokens: TokenPair
) -> httpx2.Response:
    return await client.post("/auth/token", data=form_of(account))


async def refresh(
    client: httpx2.AsyncClient, _account: Credentials, tokens: TokenPair
) -> httpx2.Response:
    return await client.post("/auth/refresh", json={"refresh_token": tokens.refresh_token})


async def log_out(
    client: httpx2.AsyncClient, _account: Credentials, tokens: TokenPair
) -> httpx2.Response:
    return await client.post("/auth/logout", json={"refresh_token": tokens.refresh_token})


async def change_password(
    client: httpx2.AsyncClient, account: Credentials, _tokens: TokenPair
) -> httpx2.Response:
    current = account.password.get_secret_value()
    change = {"current_password": current, "new_password": "another long password"}
    return await client.post("/users/me/password", json=change)


async def delete_account(
    client: httpx2.AsyncClient, _account: Credentials, _tokens: TokenPair
) -> httpx2.Response:
    return await client.delete("/users/me")


@pytest.mark.parametrize(
    "calls",
    [
        (refresh, refresh),
        (refresh, log_out),
        (refresh, change_password),
        (refresh, delete_account),
        (log_in_again, change_password),
        (log_in_again, delete_account),
        (change_password, delete_account),
        (delete_account, delete_account),
    ],
    ids=lambda calls: "-".join(call.__name__ for call in calls),
)
async def test_no_token_outlives_what_revokes_it(app: FastAPI, calls: tuple[Call, ...]) -> None:
    """Also two refreshes with one token are a reuse: they end the log-in."""
    for _ in range(5):
        async with client_of(app) as client:
            account = await register(client)
            tokens = await log_in(client, account)
            responses = await asyncio.gather(*(call(client, account, tokens) for call in calls))
            assert max(response.status_code for response in responses) < 500
            async with app.state.database.read() as session:
                assert await session.scalar(select(func.count()).select_from(RefreshToken)) == 0


async def test_authenticated_request_holds_one_connection_at_a_time(own_database: URL) -> None:
    app = create_app(settings_for(own_database, database_pool_size=1, database_max_overflow=0))
    async with app.router.lifespan_context(app), client_of(app) as client:
        await log_in(client)
        responses = await asyncio.gather(*(client.get("/users/me") for _ in range(100)))
        assert {response.status_code for response in responses} == {200}
