"""Registration, log-in and refresh tokens over HTTP."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update

from app.auth.models import RefreshToken
from app.auth.schemas import TokenPair
from app.core.config import Settings
from app.core.logging import configure_logging
from app.db.base import utc_now
from app.db.session import Database
from app.users.models import User
from app.users.schemas import Credentials
from tests.users.fixtures import CredentialsFactory, form_of, json_of, log_in, register


async def refresh(client: httpx2.AsyncClient, tokens: TokenPair) -> httpx2.Response:
    body = {"refresh_token": tokens.refresh_token}
    return await client.post("/auth/refresh", json=body)


async def test_response_to_a_registration_names_the_account(client: httpx2.AsyncClient) -> None:
    account = CredentialsFactory.build()
    created = await client.post("/auth/register", json=json_of(account))
    await log_in(client, account)
    assert (await client.get(created.headers["Location"])).json() == created.json()


async def test_address_is_registered_once_in_any_case(client: httpx2.AsyncClient) -> None:
    account = await register(client, CredentialsFactory.build(email="ada@example.org"))
    body = json_of(account, email="Ada@Example.org")
    response = await client.post("/auth/register", json=body)
    assert (response.status_code, response.json()["type"]) == (409, "email-taken")
    form = form_of(account, username="ADA@example.org")
    assert (await client.post("/auth/token", data=form)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "tiny77"},
        {"password": "x" * 129},
        {"email": "ada"},
        {"email": "ada\0@example.org"},
        {"email": ""},
    ],
)
async def test_invalid_credentials_are_refused(
    client: httpx2.AsyncClient, changes: dict[str, str]
) -> None:
    body = json_of(CredentialsFactory.build(), **changes)
    response = await client.post("/auth/register", json=body)
    assert response.status_code == 422
    assert body["password"] not in response.text


@pytest.mark.parametrize("wrong", [{"username": "ada@example.org"}, {"password": "wrong"}])
async def test_refused_log_in_does_not_reveal_what_was_wrong(
    client: httpx2.AsyncClient, account: Credentials, wrong: dict[str, str]
) -> None:
    response = await client.post("/auth/token", data=form_of(account, **wrong))
    assert response.status_code == 401
    assert response.json()["detail"] == "The e-mail address or the password is wrong."


async def test_log_in_with_a_nul_is_refused(client: httpx2.AsyncClient) -> None:
    form = form_of(CredentialsFactory.build(), username="ada\0")
    assert (await client.post("/auth/token", data=form)).status_code == 422


@pytest.mark.parametrize("path", ["/auth/register", "/auth/refresh"])
async def test_secret_that_is_not_unicode_is_refused(client: httpx2.AsyncClient, path: str) -> None:
    body = rb'{"email": "a@example.org", "password": "\ud800pass", "refresh_token": "\ud800"}'
    response = await client.post(path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422


@pytest.mark.parametrize("token", ["", ".", "x.y", f"{'0' * 32}.secret", "\u0661" * 32])
async def test_unknown_refresh_token_is_refused(client: httpx2.AsyncClient, token: str) -> None:
    body = {"refresh_token": token}
    response = await client.post("/auth/refresh", json=body)
    assert (response.status_code, response.json()["type"]) == (401, "invalid-refresh-token")
    assert (await client.post("/auth/logout", json=body)).status_code == 204


async def test_refresh_token_is_exchanged(client: httpx2.AsyncClient, tokens: TokenPair) -> None:
    response = await refresh(client, tokens)
    assert response.status_code == 200
    successor = TokenPair.model_validate(response.json())
    assert successor.refresh_token != tokens.refresh_token
    assert successor.expires_in == 900
    client.headers["Authorization"] = f"Bearer {successor.access_token}"
    assert (await client.get("/users/me")).status_code == 200


async def test_reused_refresh_token_revokes_its_log_in(
    client: httpx2.AsyncClient, account: Credentials, tokens: TokenPair
) -> None:
    other = await log_in(client, account)
    successor = TokenPair.model_validate((await refresh(client, tokens)).json())
    assert (await refresh(client, tokens)).status_code == 401
    assert (await refresh(client, successor)).status_code == 401
    assert (await refresh(client, other)).status_code == 200


async def test_expired_refresh_token_is_refused(
    client: httpx2.AsyncClient, tokens: TokenPair, database: Database
) -> None:
    async with database.write.begin() as session:
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(RefreshToken).values(expires_at=past))
    assert (await refresh(client, tokens)).status_code == 401


async def test_log_out_revokes_and_is_idempotent(
    client: httpx2.AsyncClient, tokens: TokenPair
) -> None:
    body = {"refresh_token": tokens.refresh_token}
    assert (await client.post("/auth/logout", json=body)).status_code == 204
    assert (await client.post("/auth/logout", json=body)).status_code == 204
    assert (await refresh(client, tokens)).status_code == 401


async def test_no_answer_of_log_in_is_stored_by_caches(
    client: httpx2.AsyncClient, account: Credentials, tokens: TokenPair
) -> None:
    body = {"refresh_token": tokens.refresh_token}
    answers = [
        await client.post("/auth/token", data=form_of(account)),
        await client.post("/auth/token", data=form_of(account, password="wrong")),
        await client.post("/auth/token"),
        await client.post("/auth/refresh", json=body),
        await client.post("/auth/refresh", json=body),
        await client.post("/auth/refresh"),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 422, 200, 401, 422]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


async def test_secrets_are_stored_as_hashes_only(
    account: Credentials, tokens: TokenPair, database: Database
) -> None:
    async with database.read() as session:
        user = (await session.scalars(select(User))).one()
        assert account.password.get_secret_value() not in user.password_hash
        stored = (await session.scalars(select(RefreshToken))).one()
        assert stored.token_hash not in tokens.refresh_token


async def test_no_secret_reaches_the_log(
    client: httpx2.AsyncClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)  # again, now that the output is captured
    account = await register(client)
    tokens = await log_in(client, account)
    await client.post("/auth/register", json=json_of(account))
    await client.post("/auth/register", json=json_of(account, email="ada"))
    await client.post("/auth/token", data=form_of(account, username="ada"))
    log = capsys.readouterr().out
    assert "/auth/token" in log
    password = account.password.get_secret_value()
    for secret in (password, tokens.access_token, tokens.refresh_token):
        assert secret not in log
