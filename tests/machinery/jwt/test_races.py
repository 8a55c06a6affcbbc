"""Every two requests that change a log-in, at the same time: RACES=500 runs each pair 500 times."""

# Depends on: src/app/auth/ src/app/users/ src/app/db/engine.py src/app/db/errors.py
# Depends on: src/app/db/session.py

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import combinations_with_replacement

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
from tests.users.fixtures import form_of, register

RACES = int(os.environ.get("RACES", "1"))
NEW_PASSWORDS = ("the first new password", "the second new password")
DELAYS = [0, 0.0005, 0.001, 0.002, 0.004]
"""Seconds after the first request of a pair."""
REVOKING = {"reuse", "log_out", "set_password", "delete_me"}
OF_ACCOUNT = {"set_password", "delete_me"}


class Caller:
    """An account with a log-in whose refresh token was used once before."""

    def __init__(self, client: httpx2.AsyncClient, account: Credentials) -> None:
        self.client = client
        self.account = account
        self.email = account.email
        self.new_passwords = iter(NEW_PASSWORDS)
        self.used = ""
        self.token = ""

    async def prepare(self) -> None:
        """Log in and refresh."""
        first = await self.log_in()
        self.used = first.json()["refresh_token"]
        second = await self.reuse()
        tokens = TokenPair.model_validate(second.json())
        self.token = tokens.refresh_token
        self.headers = {"Authorization": f"Bearer {tokens.access_token}"}

    async def log_in(self) -> httpx2.Response:
        """Log in with the first password."""
        return await self.client.post("/auth/token", data=form_of(self.account))

    async def refresh(self) -> httpx2.Response:
        """Exchange the current token."""
        return await self.exchange(self.token)

    async def reuse(self) -> httpx2.Response:
        """Exchange the token that was used before."""
        return await self.exchange(self.used)

    async def exchange(self, token: str) -> httpx2.Response:
        """Exchange this token."""
        return await self.client.post("/auth/refresh", json={"refresh_token": token})

    async def log_out(self) -> httpx2.Response:
        """Log out."""
        return await self.client.post("/auth/logout", json={"refresh_token": self.token})

    async def set_password(self) -> httpx2.Response:
        """Change the password to the next one."""
        current = self.account.password.get_secret_value()
        change = {"current_password": current, "new_password": next(self.new_passwords)}
        return await self.client.post("/users/me/password", json=change, headers=self.headers)

    async def delete_me(self) -> httpx2.Response:
        """Delete the account."""
        return await self.client.delete("/users/me", headers=self.headers)


ACTIONS: dict[str, Callable[[Caller], Awaitable[httpx2.Response]]] = {
    "log_in": Caller.log_in,
    "refresh": Caller.refresh,
    "reuse": Caller.reuse,
    "log_out": Caller.log_out,
    "set_password": Caller.set_password,
    "delete_me": Caller.delete_me,
}


@pytest.fixture
async def app(own_database: URL) -> AsyncIterator[FastAPI]:
    """The application with a pool of connections, whose commits are real."""
    app = create_app(settings_for(own_database))
    async with app.router.lifespan_context(app):
        yield app


@pytest.mark.parametrize("pair", [*combinations_with_replacement(ACTIONS, 2)], ids="-".join)
async def test_no_token_outlives_what_revokes_it(app: FastAPI, pair: tuple[str, str]) -> None:
    async with client_of(app) as client:
        for _ in range(RACES):
            caller = Caller(client, await register(client))
            await caller.prepare()
            answers = await race(caller, pair)
            statuses = {name: answer.status_code for name, answer in answers}
            assert max(statuses.values()) < 500, statuses
            await check_tokens(app, caller, answers)
            await check_account(app, caller, answers)


async def race(caller: Caller, pair: tuple[str, str]) -> list[tuple[str, httpx2.Response]]:
    """The answers to both requests, which begin at almost the same time in any order."""
    names = pair[:: secrets.choice([1, -1])]

    async def send(number: int, name: str) -> httpx2.Response:
        await asyncio.sleep(number * secrets.choice(DELAYS))
        return await ACTIONS[name](caller)

    sent = [send(number, name) for number, name in enumerate(names)]
    return [*zip(names, await asyncio.gather(*sent), strict=True)]


async def check_tokens(
    app: FastAPI, caller: Caller, answers: list[tuple[str, httpx2.Response]]
) -> None:
    """A token works unless a request of the pair revoked it."""
    names = {name for name, _ in answers}
    is_revoked = bool(names & REVOKING) or [name for name, _ in answers] == ["refresh", "refresh"]
    logged_in = 0
    issued = [(name, answer) for name, answer in answers if "refresh_token" in answer.text]
    for name, answer in issued:
        if name == "refresh" and not is_revoked:
            expected = 200
        else:
            expected = 200 if name == "log_in" and not names & OF_ACCOUNT else 401
        logged_in += expected == 200
        again = await caller.exchange(answer.json()["refresh_token"])
        assert again.status_code == expected, (name, names)
    is_untouched = not is_revoked and "refresh" not in names
    async with app.state.database.read() as session:
        stored = await session.scalar(
            select(func.count()).select_from(RefreshToken).join(User).filter_by(email=caller.email)
        )
    assert stored == logged_in + is_untouched


async def check_account(
    app: FastAPI, caller: Caller, answers: list[tuple[str, httpx2.Response]]
) -> None:
    """One of two changes of the password happens, and a deletion always."""
    names = [name for name, _ in answers]
    statuses = sorted(answer.status_code for _, answer in answers)
    async with app.state.database.read() as session:
        is_there = await session.scalar(select(User).filter_by(email=caller.email)) is not None
    assert is_there != ("delete_me" in names)
    if names == ["set_password", "set_password"]:
        assert statuses == [204, 403]
    if names == ["delete_me", "delete_me"]:
        assert statuses == [204, 401]
    if names == ["refresh", "refresh"]:
        assert statuses == [200, 401]
    if "set_password" in names:
        assert (await caller.log_in()).status_code == 401
