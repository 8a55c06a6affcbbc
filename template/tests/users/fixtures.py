"""Accounts, and clients that are logged in."""

from secrets import token_urlsafe
from uuid import uuid4

import httpx2
import pytest
from polyfactory import Use
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import SecretStr
from sqlalchemy import URL

from app.auth.schemas import TokenPair
from app.main import create_app
from app.users.schemas import Credentials
from tests.conftest import client_of, settings_for


class CredentialsFactory(ModelFactory[Credentials]):
    """Credentials of a new account."""

    email = Use(lambda: f"{uuid4().hex}@example.org")
    password = Use(lambda: SecretStr(token_urlsafe()))


def json_of(credentials: Credentials, **changes: str) -> dict[str, str]:
    """The body of a registration."""
    password = credentials.password.get_secret_value()
    return {"email": credentials.email, "password": password} | changes


def form_of(account: Credentials, **changes: str) -> dict[str, str]:
    """The form of a log-in."""
    return {"username": account.email, "password": account.password.get_secret_value()} | changes


async def register(
    client: httpx2.AsyncClient, credentials: Credentials | None = None
) -> Credentials:
    """Open an account."""
    credentials = credentials or CredentialsFactory.build()
    response = await client.post("/auth/register", json=json_of(credentials))
    assert response.status_code == 201, response.text
    return credentials


async def log_in(client: httpx2.AsyncClient, account: Credentials | None = None) -> TokenPair:
    """Log the client in, to a new account by default."""
    account = account or await register(client)
    response = await client.post("/auth/token", data=form_of(account))
    assert response.status_code == 200, response.text
    tokens = TokenPair.model_validate(response.json())
    client.headers["Authorization"] = f"Bearer {tokens.access_token}"
    return tokens


async def headers_of_a_new_user(url: URL) -> dict[str, str]:
    """The headers of a client that is logged in; requests may change or delete its account."""
    app = create_app(settings_for(url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        await log_in(client)
        return dict(client.headers)


@pytest.fixture
async def account(client: httpx2.AsyncClient) -> Credentials:
    """The credentials of an account."""
    return await register(client)


@pytest.fixture
async def tokens(client: httpx2.AsyncClient, account: Credentials) -> TokenPair:
    """The tokens of the client, which is logged in to `account`."""
    return await log_in(client, account)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at the lowest cost, which saves half of the time of the tests."""
    monkeypatch.setenv("APP_AUTH_ARGON2_MEMORY", "8")
    monkeypatch.setenv("APP_AUTH_ARGON2_ITERATIONS", "1")
