"""What sends tasks when their time has come: one process, for two would send each tick twice."""

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
"""When a task that was about to be sent again, and was not, is due once more."""

logger = structlog.stdlib.get_logger("app.tasks")


def create_scheduler(broker: AsyncBroker, database: Database) -> TaskiqScheduler:
    """A scheduler for what tasks say in their label `schedule`, and for those that failed."""
    by_label = LabelScheduleSource(async_shared_broker)
    return TaskiqScheduler(broker, [by_label, FailedTasks(broker, database)])


class FailedTasks(ScheduleSource):
    """The failed tasks whose `retry_at` has come."""

    def __init__(self, broker: AsyncBroker, database: Database) -> None:
        self._broker = broker
        self._database = database

    async def get_schedules(self) -> list[ScheduledTask]:
        """Take what is due; it is due again after a while if it is not sent until then."""
        now = utc_now()
        async with self._database.write.begin() as session:
            rows = await session.scalars(FailedTask.due(now).limit(BATCH))
            schedules: list[ScheduledTask] = []
            for row in rows:
                row.retry_at = now + LEASE
                try:
                    schedules.append(self._schedule(row))
                except ValidationError:
                    # Another library may have written it.
                    logger.exception("task given up", task_id=row.id)
                    row.retry_at = None
        return schedules

    def _schedule(self, row: FailedTask) -> ScheduledTask:
        message = self._broker.formatter.loads(row.message.encode())
        message.parse_labels()
        return ScheduledTask(
            task_name=message.task_name,
            task_id=message.task_id,
            args=message.args,
            kwargs=message.kwargs,
            labels={**message.labels, ATTEMPT: row.attempt + 1},
            time=row.retry_at - LEASE if row.retry_at else None,
            # The scheduler never sends the same schedule twice: each attempt to send is one.
            schedule_id=f"{row.id} {row.retry_at}",
        )

    async def post_send(self, task: ScheduledTask) -> None:
        """Forget the task, unless it has failed again in the meantime."""
        sent = FailedTask.sent(str(task.task_id), task.labels[ATTEMPT])
        async with self._database.write.begin() as session:
            await session.execute(delete(FailedTask).where(sent))
