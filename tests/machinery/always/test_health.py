"""The readiness check: it has a connection of its own, and its refusal leaves a reason."""

import json
from typing import Any

import pytest
from sqlalchemy import URL

from app.db.session import Database
from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.database import unreachable


def logged(capsys: pytest.CaptureFixture[str], message: str) -> dict[str, Any]:
    """The line of the log with this message."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return next(line for line in lines if line["message"] == message)


async def test_service_whose_pool_is_busy_is_ready(own_database: URL) -> None:
    settings = settings_for(own_database, database_pool_size=1, database_max_overflow=0)
    app = create_app(settings)
    database: Database = app.state.database
    async with client_of(app) as client, database.engine.connect():
        for path in ("/readyz", "/healthz"):
            assert (await client.get(path)).status_code == 200
    await database.close()


async def test_many_checks_use_one_connection(own_database: URL) -> None:
    app = create_app(settings_for(own_database))
    database: Database = app.state.database
    async with client_of(app) as client:
        for _ in range(3):
            assert (await client.get("/readyz")).status_code == 200
    assert "Connections in pool: 0" in database.engine.pool.status()
    assert "Connections in pool: 1" in database.probe.pool.status()
    await database.close()


async def test_reason_why_a_service_is_not_ready_is_logged(
    server: URL, capsys: pytest.CaptureFixture[str]
) -> None:
    app = create_app(settings_for(unreachable(server)))
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 503
    assert len(logged(capsys, "not ready")["reason"]) > 20
    await app.state.database.close()


async def test_timeout_is_a_reason(own_database: URL, capsys: pytest.CaptureFixture[str]) -> None:
    app = create_app(settings_for(own_database, database_ready_timeout=0))
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 503
    assert logged(capsys, "not ready")["reason"] == "no response within 0 s"
    await app.state.database.close()
