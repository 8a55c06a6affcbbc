"""Registration, log-in and refresh tokens over HTTP."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL, func, select, update

from app.auth.models import RefreshToken
from app.core.config import Settings
from app.core.logging import configure_logging
from app.db.base import utc_now
from app.db.session import Database
from app.main import create_app
from app.users.models import User
from tests.accounts import PASSWORD, register, tokens
from tests.conftest import client_of, settings_for


async def refresh(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def test_address_is_registered_once_in_any_case(client: httpx2.AsyncClient) -> None:
    await register(client, "somebody@example.org")
    credentials = {"email": "SomeBody@Example.org", "password": PASSWORD}
    answer = await client.post("/auth/register", json=credentials)
    assert (answer.status_code, answer.json()["type"]) == (409, "email-taken")
    await tokens(client, "SOMEBODY@example.org")


@pytest.mark.parametrize(
    "credentials",
    [
        {"email": "somebody@example.org", "password": "tiny77"},
        {"email": "somebody@example.org", "password": "x" * 129},
        {"email": "nobody", "password": PASSWORD},
        {"email": "some\0body@example.org", "password": PASSWORD},
        {"password": PASSWORD},
    ],
)
async def test_unfit_credentials_are_refused(
    client: httpx2.AsyncClient, credentials: dict[str, str]
) -> None:
    answer = await client.post("/auth/register", json=credentials)
    assert answer.status_code == 422
    assert credentials["password"] not in answer.text


@pytest.mark.parametrize("username", ["nobody@example.org", "known@example.org"])
async def test_wrong_log_in_does_not_tell_what_was_wrong(
    client: httpx2.AsyncClient, username: str
) -> None:
    await register(client, "known@example.org")
    form = {"username": username, "password": "wrong password"}
    answer = await client.post("/auth/token", data=form)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The e-mail address or the password is wrong."


async def test_log_in_with_a_nul_is_refused(client: httpx2.AsyncClient) -> None:
    form = {"username": "some\0body", "password": PASSWORD}
    assert (await client.post("/auth/token", data=form)).status_code == 422


@pytest.mark.parametrize("path", ["/auth/register", "/auth/refresh"])
async def test_secret_that_is_no_text_is_refused(client: httpx2.AsyncClient, path: str) -> None:
    body = rb'{"email": "a@example.org", "password": "\ud800pass", "refresh_token": "\ud800"}'
    answer = await client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


async def test_refresh_token_is_exchanged(client: httpx2.AsyncClient) -> None:
    first = await tokens(client, await register(client))
    answer = await refresh(client, first["refresh_token"])
    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["expires_in"] == 900
    client.headers["Authorization"] = f"Bearer {second['access_token']}"
    assert (await client.get("/users/me")).status_code == 200


async def test_used_refresh_token_revokes_its_family(client: httpx2.AsyncClient) -> None:
    email = await register(client)
    first, other = await tokens(client, email), await tokens(client, email)
    second = (await refresh(client, first["refresh_token"])).json()
    assert (await refresh(client, first["refresh_token"])).status_code == 401
    assert (await refresh(client, second["refresh_token"])).status_code == 401
    assert (await refresh(client, other["refresh_token"])).status_code == 200


async def test_expired_refresh_token_is_refused(
    client: httpx2.AsyncClient, database: Database
) -> None:
    pair = await tokens(client, await register(client))
    async with database.write.begin() as session:
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(RefreshToken).values(expires_at=past))
    assert (await refresh(client, pair["refresh_token"])).status_code == 401


async def test_log_out_revokes_and_is_idempotent(client: httpx2.AsyncClient) -> None:
    pair = await tokens(client, await register(client))
    body = {"refresh_token": pair["refresh_token"]}
    assert (await client.post("/auth/logout", json=body)).status_code == 204
    assert (await client.post("/auth/logout", json=body)).status_code == 204
    assert (await refresh(client, pair["refresh_token"])).status_code == 401


async def test_secrets_are_stored_as_hashes_only(
    client: httpx2.AsyncClient, database: Database
) -> None:
    pair = await tokens(client, await register(client))
    async with database.read() as session:
        assert PASSWORD not in (await session.scalars(select(User))).one().password_hash
        stored = (await session.scalars(select(RefreshToken))).one()
        assert stored.token_hash != pair["refresh_token"]


async def test_no_secret_reaches_the_log(
    client: httpx2.AsyncClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)  # again, now that the output is captured
    pair = await tokens(client, await register(client))
    await client.post("/auth/register", json={"email": "nobody", "password": PASSWORD})
    await client.post("/auth/token", data={"username": "nobody", "password": PASSWORD})
    await client.post("/auth/register", json={"email": "taken@example.org", "password": PASSWORD})
    log = capsys.readouterr().out
    assert "/auth/token" in log
    for secret in (PASSWORD, pair["access_token"], pair["refresh_token"]):
        assert secret not in log


async def test_concurrent_registration_of_one_address(own_database: URL) -> None:
    app: FastAPI = create_app(settings_for(own_database))
    credentials = {"email": "somebody@example.org", "password": PASSWORD}
    async with app.router.lifespan_context(app), client_of(app) as client:
        answers = await asyncio.gather(
            *(client.post("/auth/register", json=credentials) for _ in range(10))
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
        async with app.state.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_refused_reuse_is_committed(own_database: URL) -> None:
    app: FastAPI = create_app(settings_for(own_database))
    async with app.router.lifespan_context(app), client_of(app) as client:
        pair = await tokens(client, await register(client))
        await refresh(client, pair["refresh_token"])
        assert (await refresh(client, pair["refresh_token"])).status_code == 401
        async with app.state.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(RefreshToken)) == 0


async def test_authenticated_clients_share_one_connection(own_database: URL) -> None:
    app = create_app(settings_for(own_database, database_pool_size=1, database_max_overflow=0))
    async with app.router.lifespan_context(app), client_of(app) as client:
        pair = await tokens(client, await register(client))
        client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        answers = await asyncio.gather(*(client.get("/users/me") for _ in range(100)))
        assert {answer.status_code for answer in answers} == {200}
