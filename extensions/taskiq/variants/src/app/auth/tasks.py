"""What is done for tokens in the background."""

from sqlalchemy import delete
from taskiq import TaskiqDepends
from taskiq.brokers.shared_broker import shared_task

from app.auth.models import RefreshToken
from app.db.base import utc_now
from app.db.session import Database


@shared_task(schedule=[{"cron": "11 * * * *"}])
async def delete_expired_tokens(database: Database = TaskiqDepends()) -> None:
    """Delete the refresh tokens that nobody can use any more."""
    async with database.write.begin() as session:
        await session.execute(delete(RefreshToken).where(RefreshToken.expired(utc_now())))
