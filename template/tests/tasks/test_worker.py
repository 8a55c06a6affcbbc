"""Workers on a real broker, and what they need: what was sent is done, once, by whoever lives."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from app.core.config import ConfigurationError, Settings
from app.db.session import Database
from app.tasks import install_tasks
from app.tasks.effects import first_time
from app.tasks.settings import TaskSettings
from tests.migrating import PROJECT
from tests.tasks.fixtures import Sender
from tests.tasks.processes import PATIENCE, are_left, kill, started
from tests.tasks.slow import mark_by

SLOW = "tests.tasks.slow"


async def test_task_of_a_killed_worker_is_done_by_another(
    task_environment: dict[str, str], effects: Database, sender: Sender
) -> None:
    await mark_by(sender)("cut off", 0.5)
    async with started(SLOW, task_environment) as first:
        assert await are_left(effects, "cut off began")
        kill(first)
        await first.wait()
    async with started(SLOW, task_environment):
        assert await are_left(effects, "cut off")


async def test_worker_shows_that_it_lives_and_finishes_its_task_when_told_to_stop(
    task_environment: dict[str, str], effects: Database, sender: Sender, tmp_path: Path
) -> None:
    task_environment["TMPDIR"] = str(tmp_path)
    async with started(SLOW, task_environment, tmp_path / "log") as process:
        await mark_by(sender)("last", 0.5)
        assert await are_left(effects, "last began")
        assert (tmp_path / "worker-pulse").exists()
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
        assert await are_left(effects, "last")
    lines = (tmp_path / "log").read_text().splitlines()
    [end] = [json.loads(line) for line in lines if '"message": "task"' in line]
    assert end["ok"] is True


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


async def test_effect_comes_once(database: Database) -> None:
    async with database.write.begin() as session:
        assert await first_time(session, "greeting")
        assert not await first_time(session, "greeting")
        assert await first_time(session, "another")


def test_production_needs_a_broker(settings: Settings) -> None:
    production = settings.model_copy(update={"environment": "production"})
    with pytest.raises(ConfigurationError, match="APP_TASKS_BROKER_URL"):
        install_tasks(FastAPI(), production)


def test_task_must_end_before_it_is_given_to_another_worker() -> None:
    with pytest.raises(ValidationError, match="more than twice"):
        TaskSettings(time_limit=60, redelivery_after=120)
