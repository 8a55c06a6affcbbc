"""Request ids, the log, CORS, and the probes."""

import json
import logging

import httpx2
import pytest
from sqlalchemy import URL

from app.core.config import Settings
from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.database import unreachable


async def test_request_id_of_the_client_is_kept(client: httpx2.AsyncClient) -> None:
    response = await client.get("/livez", headers={"X-Request-ID": "order-66"})
    assert response.headers["x-request-id"] == "order-66"


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, "{}"])
async def test_invalid_request_id_is_replaced(client: httpx2.AsyncClient, sent: str) -> None:
    response = await client.get("/livez", headers={"X-Request-ID": sent})
    assert len(response.headers["x-request-id"]) == 36


async def test_log_is_json_with_the_request_id(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with client_of(create_app(settings)) as client:
        await client.get("/livez?token=secret", headers={"X-Request-ID": "order-66"})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    request = next(line for line in lines if line["message"] == "request")
    assert request["request_id"] == "order-66"
    assert (request["method"], request["path"], request["status"]) == ("GET", "/livez", 200)
    assert "secret" not in str(lines)


def test_traceback_is_logged_without_local_variables(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    create_app(settings)
    password = "hunter" + str(2)

    def fail() -> None:
        raise RuntimeError(len(password))

    try:
        fail()
    except RuntimeError:
        logging.getLogger("app").exception("failed")
    line = json.loads(capsys.readouterr().out)
    assert line["exception"][0]["exc_type"] == "RuntimeError"
    assert password not in str(line)


@pytest.mark.parametrize(
    ("allowed", "expected"), [([], None), (["https://a.org"], "https://a.org")]
)
async def test_cors_is_off_unless_origins_are_set(
    settings: Settings, allowed: list[str], expected: str | None
) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": allowed}))
    async with client_of(app) as client:
        response = await client.get("/livez", headers={"Origin": "https://a.org"})
        assert response.headers.get("access-control-allow-origin") == expected


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
async def test_probe_of_a_healthy_service(client: httpx2.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_without_its_database_a_service_is_alive_but_not_ready(server: URL) -> None:
    app = create_app(settings_for(unreachable(server)))
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.get("/livez")).status_code == 200
        for path in ("/readyz", "/healthz"):
            response = await client.get(path)
            assert (response.status_code, response.json()["type"]) == (503, "not-ready")
