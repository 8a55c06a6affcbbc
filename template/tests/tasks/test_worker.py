"""Workers on a real broker: what was sent is done, whatever happens to who does it."""

import asyncio
import sys

import pytest
from sqlalchemy import select
from taskiq import AsyncBroker, TaskiqMessage
from taskiq.receiver import Receiver

from app.core.database import Database
from app.tasks.models import FailedTask
from tests.migrating import PROJECT
from tests.tasks.processes import PATIENCE, are_left, kill, started
from tests.tasks.slow import mark

SLOW = "tests.tasks.slow"


@pytest.mark.usefixtures("sender")
async def test_task_of_a_killed_worker_is_done_by_another(
    task_environment: dict[str, str], effects: Database
) -> None:
    await mark.kiq("cut off", 0.5)
    async with started(SLOW, task_environment) as first:
        assert await are_left(effects, "cut off began")
        kill(first)
        await first.wait()
    async with started(SLOW, task_environment):
        assert await are_left(effects, "cut off")


@pytest.mark.usefixtures("sender")
async def test_worker_that_is_told_to_stop_finishes_its_task(
    task_environment: dict[str, str], effects: Database
) -> None:
    async with started(SLOW, task_environment) as process:
        await mark.kiq("last", 0.5)
        assert await are_left(effects, "last began")
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
        assert await are_left(effects, "last")


async def test_task_that_the_worker_does_not_know_is_kept(
    effects: Database, sender: AsyncBroker
) -> None:
    message = TaskiqMessage(
        task_id="one", task_name="of:tomorrow", labels={}, args=[1], kwargs={"name": "x"}
    )
    worker = Receiver(sender, max_async_tasks=1)
    await worker.callback(sender.formatter.dumps(message).message)
    async with effects.read() as session:
        [kept] = await session.scalars(select(FailedTask))
    assert (kept.id, kept.name, kept.attempt) == ("one", "of:tomorrow", 1)
    assert kept.retry_at


async def test_worker_without_broker_says_so(task_environment: dict[str, str]) -> None:
    del task_environment["APP_TASKS_BROKER_URL"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.tasks.worker"),
        env=task_environment,
        cwd=PROJECT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 1
    assert told.decode().splitlines() == [
        "Nothing to do: without APP_TASKS_BROKER_URL the service does its tasks itself."
    ]
