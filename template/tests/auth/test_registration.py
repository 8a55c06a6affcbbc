"""Who registers is welcomed, and has no account without it."""

import httpx2
from sqlalchemy import select

from app.db.session import Database
from app.users.models import User
from tests.accounts import PASSWORD, register
from tests.tasks.fixtures import HeldTasks


async def test_welcome_is_sent_with_the_registration(
    client: httpx2.AsyncClient, tasks: HeldTasks
) -> None:
    email = await register(client)
    [name] = tasks.names()
    assert name.endswith("send_welcome")
    [[_, address]] = tasks.arguments()
    assert address == email


async def test_without_broker_there_is_no_account(
    client: httpx2.AsyncClient, tasks: HeldTasks, database: Database
) -> None:
    tasks.is_away = True
    account = {"email": "ada@example.org", "password": PASSWORD}
    answer = await client.post("/auth/register", json=account)
    assert answer.status_code == 503
    async with database.read() as session:
        assert await session.scalar(select(User).filter_by(email="ada@example.org")) is None
