"""What is done for tokens in the background."""

from sqlalchemy import delete

from app.auth.models import RefreshToken
from app.db.base import utc_now
from app.tasks.task import TaskContext, task


@task("auth.delete_expired_tokens", cron="11 * * * *")
async def delete_expired_tokens(context: TaskContext) -> None:
    """Delete the refresh tokens that nobody can use any more."""
    async with context.database.write.begin() as session:
        await session.execute(delete(RefreshToken).where(RefreshToken.expired(utc_now())))
