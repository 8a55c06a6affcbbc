"""A task that was fetched by a worker which died before recording it as unacknowledged."""

from redis.asyncio import from_url

from app.db.session import Database
from tests.machinery.queue.marking import mark_by
from tests.machinery.tasks.processes import are_recorded, comes_true, started


async def test_fetched_task_is_requeued(
    task_environment: dict[str, str],
    effects: Database,
    sender: object,
    broker_url: str,
    queue: str,
) -> None:
    await mark_by(sender)("taken", 0)
    key = f"{queue}:{queue}"
    async with from_url(broker_url) as redis:

        async def is_empty() -> bool:
            return not await redis.exists(f"{key}:taken", f"{key}:taken-since")

        assert await redis.lmove(key, f"{key}:taken", "RIGHT", "LEFT")
        async with started("tests.machinery.queue.marking", task_environment):
            assert await are_recorded(effects, "taken")
            assert await comes_true(is_empty)
