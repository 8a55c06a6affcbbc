"""One's own account."""

import httpx2
from sqlalchemy import update

from app.db.session import Database
from app.users.models import User
from tests.accounts import PASSWORD, log_in, register, tokens

NEW = "another long password"


async def test_me(client: httpx2.AsyncClient) -> None:
    email = await register(client)
    await log_in(client, email)
    me = await client.get("/users/me")
    assert me.status_code == 200
    assert me.json()["email"] == email
    assert "password" not in me.text


async def test_without_token_nobody(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/users/me")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_inactive_user_is_refused(client: httpx2.AsyncClient, database: Database) -> None:
    email = await register(client)
    pair = await tokens(client, email)
    client.headers["Authorization"] = f"Bearer {pair['access_token']}"
    async with database.write.begin() as session:
        await session.execute(update(User).filter_by(email=email).values(is_active=False))
    assert (await client.get("/users/me")).status_code == 403
    again = await client.post("/auth/token", data={"username": email, "password": PASSWORD})
    assert again.status_code == 403
    refresh = {"refresh_token": pair["refresh_token"]}
    assert (await client.post("/auth/refresh", json=refresh)).status_code == 403


async def test_changed_password_replaces_the_old_one_and_logs_out(
    client: httpx2.AsyncClient,
) -> None:
    email = await register(client)
    pair = await tokens(client, email)
    client.headers["Authorization"] = f"Bearer {pair['access_token']}"
    change = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/users/me/password", json=change)).status_code == 204
    old = await client.post("/auth/token", data={"username": email, "password": PASSWORD})
    assert old.status_code == 401
    refresh = {"refresh_token": pair["refresh_token"]}
    assert (await client.post("/auth/refresh", json=refresh)).status_code == 401
    await tokens(client, email, NEW)


async def test_wrong_current_password_changes_nothing(client: httpx2.AsyncClient) -> None:
    email = await register(client)
    await log_in(client, email)
    change = {"current_password": "wrong", "new_password": NEW}
    answer = await client.post("/users/me/password", json=change)
    assert (answer.status_code, answer.json()["type"]) == (403, "wrong-password")
    await tokens(client, email)


async def test_deleted_account_is_gone(client: httpx2.AsyncClient) -> None:
    email = await register(client)
    await log_in(client, email)
    assert (await client.delete("/users/me")).status_code == 204
    assert (await client.get("/users/me")).status_code == 401
    answer = await client.post("/auth/token", data={"username": email, "password": PASSWORD})
    assert answer.status_code == 401
    await register(client, email)
