"""Tasks about tasks."""

from datetime import timedelta

from sqlalchemy import delete
from taskiq import TaskiqDepends
from taskiq.brokers.shared_broker import shared_task

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.models import FailedTask, TaskEffect
from app.tasks.settings import TaskSettings


@shared_task(schedule=[{"cron": "23 3 * * *"}])
async def delete_old(
    database: Database = TaskiqDepends(), settings: TaskSettings = TaskiqDepends()
) -> None:
    """Delete tasks that were given up, and the marks of those that were done, after a while."""
    limit = utc_now() - timedelta(days=settings.keep_failed_days)
    async with database.write.begin() as session:
        await session.execute(delete(FailedTask).where(FailedTask.given_up_before(limit)))
        await session.execute(delete(TaskEffect).where(TaskEffect.before(limit)))
