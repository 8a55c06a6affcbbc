"""Accounts for tests."""

from uuid import uuid4

import httpx2

PASSWORD = "correct horse battery staple"


async def register(client: httpx2.AsyncClient, email: str | None = None) -> str:
    """Open an account; returns its address."""
    email = email or f"{uuid4().hex}@example.org"
    answer = await client.post("/auth/register", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return email


async def tokens(
    client: httpx2.AsyncClient, email: str, password: str = PASSWORD
) -> dict[str, str]:
    """Log in; returns what the service answers."""
    answer = await client.post("/auth/token", data={"username": email, "password": password})
    assert answer.status_code == 200, answer.text
    pair: dict[str, str] = answer.json()
    return pair


async def log_in(client: httpx2.AsyncClient, email: str | None = None) -> httpx2.AsyncClient:
    """Let the client act for an account, a new one if none is named."""
    email = email or await register(client)
    pair = await tokens(client, email)
    client.headers["Authorization"] = f"Bearer {pair['access_token']}"
    return client
