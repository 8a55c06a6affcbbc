"""A registration stores the welcome mail as a task in the outbox."""

from functools import partial

import httpx2

from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.outbox import deliver
from app.outbox.relay import send_batch
from tests.tasks.fixtures import HeldTasks
from tests.users.fixtures import CredentialsFactory, json_of


async def test_registration_stores_the_welcome(
    client: httpx2.AsyncClient, tasks: HeldTasks, database: Database
) -> None:
    """The registration succeeds during an outage of the broker; the task keeps the request id."""
    tasks.is_away = True
    response = await client.post(
        "/auth/register",
        json=json_of(CredentialsFactory.build()),
        headers={"X-Request-ID": "from-outside"},
    )
    assert response.status_code == 201
    async with database.read() as session:
        [message] = await session.scalars(OutboxMessage.oldest())
    assert message.aggregate == response.json()["id"]
    tasks.is_away = False
    assert await send_batch(database, partial(deliver, tasks)) == 1
    [name] = tasks.names()
    assert name.endswith("send_welcome")
    assert tasks.request_ids() == ["from-outside"]
