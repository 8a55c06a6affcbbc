"""Worker processes on a real broker."""

import asyncio
import json
import sys
from pathlib import Path

from app.db.session import Database
from tests.machinery.tasks.fixtures import MARKINGS, first_of
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
    task_environment["TMPDIR"] = str(tmp_path)
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
