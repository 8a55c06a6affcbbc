"""Worker processes on a real broker."""

# On every change, once for: tasks broker

import asyncio
import json
import sys
import tomllib
from pathlib import Path
from uuid import uuid4

from app.db.session import Database
from app.tasks.config import TaskSettings
from app.tasks.models import TaskEffect
from tests.machinery.tasks.fixtures import (
    BROKERS,
    MARKINGS,
    REDELIVERY_AFTER,
    TIME_LIMIT,
    first_of,
)
from tests.machinery.tasks.processes import PROJECT, TIMEOUT, are_recorded, kill, started

MARKING = first_of(MARKINGS)
WORKER = MARKING.__name__


async def test_task_of_a_killed_worker_is_redelivered(
    task_environment: dict[str, str], effects: Database, sender: object
) -> None:
    await MARKING.mark_by(sender)("cut off", 0.5)
    async with started(WORKER, task_environment) as first:
        assert await are_recorded(effects, "cut off began")
        kill(first)
        await first.wait()
    async with started(WORKER, task_environment):
        assert await are_recorded(effects, "cut off")


async def test_worker_has_a_heartbeat_and_finishes_its_task_on_sigterm(
    task_environment: dict[str, str], effects: Database, sender: object, tmp_path: Path
) -> None:
    # The task takes half a second, and on a busy machine longer than the limit of these tests.
    patient = {"APP_TASKS_TIME_LIMIT": "60", "APP_TASKS_REDELIVERY_AFTER": "150"}
    task_environment |= patient | {"TMPDIR": str(tmp_path)}
    async with started(WORKER, task_environment, tmp_path / "log") as process:
        await MARKING.mark_by(sender)("last", 0.5)
        assert await are_recorded(effects, "last began")
        assert (tmp_path / "worker-heartbeat").exists()
        process.terminate()
        async with asyncio.timeout(TIMEOUT):
            assert await process.wait() == 0
        assert await are_recorded(effects, "last")
    lines = (tmp_path / "log").read_text().splitlines()
    [end] = [json.loads(line) for line in lines if '"message": "task"' in line]
    assert end["ok"] is True


async def test_worker_of_another_service_leaves_the_task(
    task_environment: dict[str, str], effects: Database, sender: object, broker_url: str
) -> None:
    """It shares the broker, and has a name of its own."""
    module = first_of(BROKERS)
    other = f"other-{uuid4().hex}"
    settings = TaskSettings(queue=other, time_limit=TIME_LIMIT, redelivery_after=REDELIVERY_AFTER)
    async with (
        module.cleaned(broker_url, other),
        started(WORKER, task_environment | {"APP_TASKS_QUEUE": other}),
        MARKING.opened(broker_url, settings, effects) as its_sender,
    ):
        await MARKING.mark_by(sender)("ours", 0)
        await MARKING.mark_by(its_sender)("theirs", 0)
        assert await are_recorded(effects, "theirs")
        async with effects.read() as session:
            assert await session.get(TaskEffect, "ours") is None
        async with started(WORKER, task_environment):
            assert await are_recorded(effects, "ours")


def test_name_in_the_broker_is_the_name_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert TaskSettings().queue == project["name"]


async def test_worker_without_a_broker_refuses_to_start(task_environment: dict[str, str]) -> None:
    del task_environment["APP_TASKS_BROKER_URL"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.tasks.worker"),
        env=task_environment,
        cwd=PROJECT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, output = await process.communicate()
    assert process.returncode == 1
    assert output.decode().splitlines() == [
        "Nothing to do: without APP_TASKS_BROKER_URL the service runs its own tasks."
    ]
