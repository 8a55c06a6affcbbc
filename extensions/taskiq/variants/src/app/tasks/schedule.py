"""Which tasks are due: those with a cron expression, and failed ones that are to be retried."""

from datetime import timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy import delete
from taskiq import AsyncBroker, ScheduledTask, ScheduleSource, TaskiqScheduler, async_shared_broker
from taskiq.schedule_sources import LabelScheduleSource

from app.db.base import utc_now
from app.db.session import Database
from app.tasks.middleware import ATTEMPT
from app.tasks.models import FailedTask

BATCH = 100
LEASE = timedelta(seconds=30)
"""After this time a retry that was taken from the table but not sent is due again."""

logger = structlog.stdlib.get_logger("app.tasks")


def create_scheduler(broker: AsyncBroker, database: Database) -> TaskiqScheduler:
    """Schedule tasks by their label `schedule`, and the retries of failed tasks."""
    by_label = LabelScheduleSource(async_shared_broker)
    return TaskiqScheduler(broker, [by_label, FailedTasks(broker, database)])


class FailedTasks(ScheduleSource):
    """Failed tasks whose `retry_at` has passed."""

    def __init__(self, broker: AsyncBroker, database: Database) -> None:
        self._broker = broker
        self._database = database

    async def get_schedules(self) -> list[ScheduledTask]:
        """Lease what is due: no other scheduler gets it until the lease expires."""
        now = utc_now()
        async with self._database.write.begin() as session:
            tasks = await session.scalars(FailedTask.due(now).limit(BATCH))
            schedules: list[ScheduledTask] = []
            for task in tasks:
                task.retry_at = now + LEASE
                try:
                    schedules.append(self._schedule(task))
                except ValidationError:
                    # Not a message of taskiq: the project may have used another library before.
                    logger.exception("task given up", task_id=task.id)
                    task.retry_at = None
        return schedules

    def _schedule(self, task: FailedTask) -> ScheduledTask:
        message = self._broker.formatter.loads(task.message.encode())
        message.parse_labels()
        return ScheduledTask(
            task_name=message.task_name,
            task_id=message.task_id,
            args=message.args,
            kwargs=message.kwargs,
            labels={**message.labels, ATTEMPT: task.attempt + 1},
            time=task.retry_at - LEASE if task.retry_at else None,
            # The scheduler sends each schedule ID once, so every lease needs an ID of its own.
            schedule_id=f"{task.id} {task.retry_at}",
        )

    async def post_send(self, task: ScheduledTask) -> None:
        """Delete the failed task, unless it has failed again in the meantime."""
        sent = FailedTask.sent(str(task.task_id), task.labels[ATTEMPT])
        async with self._database.write.begin() as session:
            await session.execute(delete(FailedTask).where(sent))
