"""Background tasks: how they are sent, retried and given up, and the command for failed ones."""

import asyncio
import json
from datetime import timedelta
from typing import Annotated

import httpx2
import pytest
from fastapi import FastAPI, Query
from pydantic import ValidationError
from sqlalchemy import select, update

from app.core.config import ConfigurationError, Settings
from app.core.logging import configure_logging
from app.db.base import utc_now
from app.db.session import Database
from app.tasks import install_tasks
from app.tasks.config import TaskSettings
from app.tasks.connection import TasksDep
from app.tasks.failed import run
from app.tasks.models import FailedTask, TaskEffect
from app.tasks.schedule import send_failed
from app.tasks.service import first_time
from app.tasks.task import TaskContext, task
from app.tasks.tasks import delete_old
from tests.tasks.fixtures import HeldTasks, failed_tasks


@task("test:fail")
async def fail(_: TaskContext, number: int) -> None:
    """Fail."""
    raise ValueError(f"number {number}")


@task("test:dawdle")
async def dawdle(_: TaskContext) -> None:
    """Exceed the time limit."""
    await asyncio.sleep(10)


async def make_due(database: Database) -> None:
    async with database.write.begin() as session:
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(FailedTask).values(retry_at=past))


async def test_failed_task_is_retried(tasks: HeldTasks, database: Database) -> None:
    context = TaskContext(database, TaskSettings(), tasks)
    await tasks.send(fail, 7)
    [sent] = tasks.held
    await tasks.do_all(database)
    [failed] = await failed_tasks(database)
    assert (failed.name, failed.error) == ("test:fail", "ValueError: number 7")
    await send_failed(context, utc_now())
    assert not tasks.held, "it is not due yet"
    await make_due(database)
    await send_failed(context, utc_now())
    assert tasks.held == [sent.model_copy(update={"attempt": 2})]
    assert not await failed_tasks(database)


async def test_task_is_given_up_after_its_last_attempt(
    tasks: HeldTasks, database: Database
) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(database, TaskSettings(attempts=1))
    [failed] = await failed_tasks(database)
    assert failed.retry_at is None


async def test_command_resends_and_deletes_tasks_that_were_given_up(
    tasks: HeldTasks, database: Database
) -> None:
    await tasks.send(fail, 7)
    await tasks.do_all(database, TaskSettings(attempts=1))
    [listed] = json.loads(await run(database, "list", [], as_json=True))
    assert listed["error"] == "ValueError: number 7"
    assert "given up: ValueError" in await run(database, "list", [], as_json=False)
    assert await run(database, "resend", ["all"], as_json=False) == "1 tasks will be sent again"
    await send_failed(TaskContext(database, TaskSettings(), tasks), utc_now())
    assert [message.attempt for message in tasks.held] == [1]
    await tasks.do_all(database, TaskSettings(attempts=1))
    assert await run(database, "delete", [listed["id"]], as_json=False) == "1 tasks deleted"
    assert not await failed_tasks(database)


async def test_task_that_exceeds_its_time_limit_fails(tasks: HeldTasks, database: Database) -> None:
    await tasks.send(dawdle)
    await tasks.do_all(database, TaskSettings(time_limit=0.05))
    [failed] = await failed_tasks(database)
    assert failed.error.startswith("TimeoutError")


async def test_log_of_a_task_has_the_request_id(
    app: FastAPI,
    settings: Settings,
    client: httpx2.AsyncClient,
    tasks: HeldTasks,
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @app.post("/fail")
    async def send(number: Annotated[int, Query()], tasks: TasksDep) -> None:
        await tasks.send(fail, number)

    await client.post("/fail?number=3", headers={"X-Request-ID": "from-outside"})
    configure_logging(settings)
    await tasks.do_all(database)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [end] = [line for line in lines if line["message"] == "task"]
    assert end["request_id"] == "from-outside"
    assert end["task"] == "test:fail"
    assert end["ok"] is False


async def test_request_fails_while_the_broker_is_away(
    app: FastAPI, client: httpx2.AsyncClient, tasks: HeldTasks
) -> None:
    @app.post("/fail")
    async def send(tasks: TasksDep) -> None:
        await tasks.send(fail, 1)

    tasks.is_away = True
    response = await client.post("/fail")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["type"] == "tasks-unavailable"


async def test_effect_is_recorded_once(database: Database) -> None:
    async with database.write.begin() as session:
        assert await first_time(session, "greeting")
        assert not await first_time(session, "greeting")
        assert await first_time(session, "another")


async def test_old_effects_and_failures_are_deleted(tasks: HeldTasks, database: Database) -> None:
    await tasks.send(fail, 1)
    await tasks.send(fail, 2)
    given_up, retried = tasks.held
    await tasks.do_all(database)
    long_ago = utc_now() - timedelta(days=40)
    async with database.write.begin() as session:
        session.add_all([TaskEffect(key="old", created_at=long_ago), TaskEffect(key="new")])
        await session.execute(update(FailedTask).values(failed_at=long_ago))
        change = update(FailedTask).where(FailedTask.chosen([given_up.id]))
        await session.execute(change.values(retry_at=None))
    await tasks.send(delete_old)
    await tasks.do_all(database)
    assert [failed.id for failed in await failed_tasks(database)] == [retried.id]
    async with database.read() as session:
        [left] = await session.scalars(select(TaskEffect))
    assert left.key == "new"


def test_production_needs_a_broker(settings: Settings) -> None:
    production = settings.model_copy(update={"environment": "production"})
    with pytest.raises(ConfigurationError, match="APP_TASKS_BROKER_URL"):
        install_tasks(FastAPI(), production)


def test_tasks_are_redelivered_only_after_their_time_limit() -> None:
    with pytest.raises(ValidationError, match="more than twice"):
        TaskSettings(time_limit=60, redelivery_after=120)
