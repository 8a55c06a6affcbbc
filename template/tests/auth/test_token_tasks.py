"""Refresh tokens that nobody can use are deleted."""

from datetime import timedelta

import httpx2
from sqlalchemy import select, update

from app.auth.models import RefreshToken
from app.auth.tasks import delete_expired_tokens
from app.db.base import utc_now
from app.db.session import Database
from tests.accounts import log_in
from tests.tasks.fixtures import HeldTasks


async def test_expired_tokens_are_deleted(
    client: httpx2.AsyncClient, tasks: HeldTasks, database: Database
) -> None:
    await log_in(client)
    past = utc_now() - timedelta(seconds=1)
    async with database.write.begin() as session:
        await session.execute(update(RefreshToken).values(expires_at=past))
    await log_in(client)
    tasks.held.clear()
    await tasks.send(delete_expired_tokens)
    await tasks.do_all(database)
    async with database.read() as session:
        [left] = await session.scalars(select(RefreshToken))
    assert left.expires_at > utc_now()
