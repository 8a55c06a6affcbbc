"""Tasks about tasks."""

from datetime import timedelta

from sqlalchemy import delete

from app.db.base import utc_now
from app.tasks.models import FailedTask, TaskEffect
from app.tasks.task import TaskContext, task


@task("tasks.delete_old", cron="23 3 * * *")
async def delete_old(context: TaskContext) -> None:
    """Delete tasks that were given up, and the marks of those that were done, after a while."""
    limit = utc_now() - timedelta(days=context.settings.keep_failed_days)
    async with context.database.write.begin() as session:
        await session.execute(delete(FailedTask).where(FailedTask.given_up_before(limit)))
        await session.execute(delete(TaskEffect).where(TaskEffect.before(limit)))
