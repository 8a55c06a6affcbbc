"""The caller's own account."""

import httpx2
from pydantic import SecretStr
from sqlalchemy import update

from app.auth.schemas import TokenPair
from app.db.session import Database
from app.users.models import User
from app.users.schemas import Credentials
from tests.users.fixtures import CredentialsFactory, form_of, json_of, log_in, register

NEW_PASSWORD = "another long password"


def password_change(account: Credentials, **changes: str) -> dict[str, str]:
    """The body of a change of the password."""
    current = account.password.get_secret_value()
    return {"current_password": current, "new_password": NEW_PASSWORD} | changes


async def test_caller_reads_their_account(client: httpx2.AsyncClient, account: Credentials) -> None:
    await log_in(client, account)
    me = await client.get("/users/me")
    assert me.status_code == 200
    assert me.json()["email"] == account.email
    assert "password" not in me.text


async def test_caller_without_token_is_refused(client: httpx2.AsyncClient) -> None:
    response = await client.get("/users/me")
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"


async def test_inactive_user_is_refused(
    client: httpx2.AsyncClient, account: Credentials, tokens: TokenPair, database: Database
) -> None:
    async with database.write.begin() as session:
        of_account = update(User).filter_by(email=account.email)
        await session.execute(of_account.values(is_active=False))
    assert (await client.get("/users/me")).status_code == 403
    assert (await client.post("/auth/token", data=form_of(account))).status_code == 403
    refresh = {"refresh_token": tokens.refresh_token}
    assert (await client.post("/auth/refresh", json=refresh)).status_code == 403


async def test_changed_password_replaces_the_old_one_and_logs_out(
    client: httpx2.AsyncClient, account: Credentials, tokens: TokenPair
) -> None:
    response = await client.post("/users/me/password", json=password_change(account))
    assert response.status_code == 204
    assert (await client.post("/auth/token", data=form_of(account))).status_code == 401
    refresh = {"refresh_token": tokens.refresh_token}
    assert (await client.post("/auth/refresh", json=refresh)).status_code == 401
    form = form_of(account, password=NEW_PASSWORD)
    assert (await client.post("/auth/token", data=form)).status_code == 200


async def test_wrong_current_password_changes_nothing(
    client: httpx2.AsyncClient, account: Credentials
) -> None:
    await log_in(client, account)
    change = password_change(account, current_password="wrong")
    response = await client.post("/users/me/password", json=change)
    assert (response.status_code, response.json()["type"]) == (403, "wrong-password")
    await log_in(client, account)


async def test_password_is_the_same_in_every_encoding_of_its_characters(
    client: httpx2.AsyncClient,
) -> None:
    composed, decomposed = "é" * 128, "e\u0301" * 128
    account = await register(client, CredentialsFactory.build(password=SecretStr(composed)))
    form = form_of(account, password=decomposed)
    assert (await client.post("/auth/token", data=form)).status_code == 200


async def test_deleted_account_is_gone(client: httpx2.AsyncClient, account: Credentials) -> None:
    await log_in(client, account)
    assert (await client.delete("/users/me")).status_code == 204
    assert (await client.get("/users/me")).status_code == 401
    assert (await client.post("/auth/token", data=form_of(account))).status_code == 401
    assert (await client.post("/auth/register", json=json_of(account))).status_code == 201
