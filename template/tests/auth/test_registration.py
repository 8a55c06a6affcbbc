"""A registration sends the welcome mail as a task."""

import httpx2
from sqlalchemy import select

from app.db.session import Database
from app.users.models import User
from tests.tasks.fixtures import HeldTasks
from tests.users.fixtures import CredentialsFactory, json_of, register


async def test_registration_sends_the_welcome(client: httpx2.AsyncClient, tasks: HeldTasks) -> None:
    account = await register(client)
    [name] = tasks.names()
    assert name.endswith("send_welcome")
    [[_, address]] = tasks.arguments()
    assert address == account.email


async def test_registration_is_rolled_back_if_the_welcome_cannot_be_sent(
    client: httpx2.AsyncClient, tasks: HeldTasks, database: Database
) -> None:
    tasks.is_away = True
    credentials = CredentialsFactory.build()
    response = await client.post("/auth/register", json=json_of(credentials))
    assert response.status_code == 503
    async with database.read() as session:
        assert await session.scalar(select(User).filter_by(email=credentials.email)) is None
