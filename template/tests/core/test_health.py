"""Probes."""

import httpx2
import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.main import create_app
from tests.conftest import client_of
from tests.databases import NOWHERE


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
async def test_healthy(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_without_database_alive_but_not_ready() -> None:
    app = create_app(Settings(environment="test", database_url=SecretStr(NOWHERE)))
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.get("/livez")).status_code == 200
        for path in ("/readyz", "/healthz"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert answer.json()["type"] == "not-ready"
