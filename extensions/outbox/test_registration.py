"""Who registers is welcomed, if not now then later."""

import httpx2

from app.db.session import Database
from app.outbox.models import OutboxMessage
from app.outbox.relay import send_batch
from tests.accounts import PASSWORD
from tests.tasks.fixtures import HeldTasks


async def test_welcome_is_stored_with_its_account(
    client: httpx2.AsyncClient, tasks: HeldTasks, database: Database
) -> None:
    """Nobody notices that the broker is away; the request is known to the task."""
    tasks.is_away = True
    account = {"email": "ada@example.org", "password": PASSWORD}
    headers = {"X-Request-ID": "from-outside"}
    answer = await client.post("/auth/register", json=account, headers=headers)
    assert answer.status_code == 201
    async with database.read() as session:
        [message] = await session.scalars(OutboxMessage.oldest())
    assert message.aggregate == answer.json()["id"]
    tasks.is_away = False
    assert await send_batch(database, tasks.deliver_text) == 1
    [name] = tasks.names()
    assert name.endswith("send_welcome")
    assert tasks.request_ids() == ["from-outside"]
