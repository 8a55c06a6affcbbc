"""What the service, workers, the scheduler and the relay say of settings that are wrong."""

# Depends on: src/app/tasks/ src/app/core/config.py tests/machinery/tasks/fixtures.py

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI, WebSocket

from app.core.config import ConfigurationError, Settings
from app.main import create_app
from app.tasks.connection import TasksDep
from tests.conftest import PROJECT
from tests.machinery.always.sockets import dialogue
from tests.machinery.tasks.processes import TIMEOUT, comes_true, started


def existing(*modules: str) -> list[str]:
    """Those that the project has."""
    return [m for m in modules if (PROJECT / f"src/{m.replace('.', '/')}.py").exists()]


PROCESSES = existing("app.tasks.worker", "app.tasks.scheduler", "app.outbox.relay")
READ = {
    "APP_TASKS_BROKER_URL": PROCESSES,
    "APP_CACHE_URL": PROCESSES if existing("app.cache.config") else [],
    "APP_OUTBOX_LISTEN_URL": existing("app.outbox.relay") if existing("app.outbox.config") else [],
}
"""The settings with URLs, and which processes read them."""
EXAMPLE = (PROJECT / ".env.example").read_text("utf-8")


def test_service_with_another_url_does_not_start(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("APP_TASKS_BROKER_URL", "http://host:port")
    with pytest.raises(ConfigurationError) as refusal:
        create_app(settings)
    assert " APP_TASKS_BROKER_URL: Value error, Use " in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "module"), [(name, module) for name in READ for module in READ[name]]
)
async def test_process_with_another_url_does_not_start(
    task_environment: dict[str, str], variable: str, module: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        env=task_environment | {variable: "http://host:port"},
        cwd=PROJECT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, output = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode == 1
    (line,) = output.decode().splitlines()
    assert line.startswith(f"The service cannot start. {variable}: Value error, Use ")


@pytest.mark.parametrize("module", PROCESSES)
async def test_unknown_variables_are_named_in_the_log(
    task_environment: dict[str, str], module: str, tmp_path: Path
) -> None:
    known = dict(re.findall(r"(?m)^(APP_\w+)=(.*)$", EXAMPLE)) | task_environment
    log = tmp_path / "log"

    async def is_told() -> bool:
        return '"unknown settings"' in log.read_text("utf-8")

    async with started(module, known | {"APP_TASKS_QUEU": "x"}, log):
        assert await comes_true(is_told)
    for line in log.read_text("utf-8").splitlines():
        if '"unknown settings"' in line:
            assert json.loads(line)["names"] == ["APP_TASKS_QUEU"]


async def test_tasks_can_be_sent_by_a_websocket(app: FastAPI) -> None:
    async def tell(websocket: WebSocket, tasks: TasksDep) -> None:
        await websocket.accept()
        await websocket.send_json(tasks is app.state.tasks)
        await websocket.close()

    app.add_api_websocket_route("/sending", tell)
    _, message, close = await dialogue(app, "/sending")
    assert (message["text"], close["type"]) == ("true", "websocket.close")
