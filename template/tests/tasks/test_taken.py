"""A task that a worker took, and died before it had written that down."""

from redis.asyncio import from_url

from app.db.session import Database
from tests.tasks.fixtures import Sender
from tests.tasks.processes import are_left, comes_true, started
from tests.tasks.slow import mark_by


async def test_task_that_nobody_has_is_done(
    task_environment: dict[str, str],
    effects: Database,
    sender: Sender,
    broker_url: str,
    queue: str,
) -> None:
    await mark_by(sender)("taken", 0)
    key = f"{queue}:{queue}"
    async with from_url(broker_url) as redis:

        async def is_empty() -> bool:
            return not await redis.exists(f"{key}:taken", f"{key}:taken-since")

        assert await redis.lmove(key, f"{key}:taken", "RIGHT", "LEFT")
        async with started("tests.tasks.slow", task_environment):
            assert await are_left(effects, "taken")
            assert await comes_true(is_empty)
