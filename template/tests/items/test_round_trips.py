"""How often a request waits for the database, counted on the wire."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from app.main import create_app
from tests.accounts import log_in
from tests.conftest import client_of, settings_for
from tests.wire import tapped


@pytest.fixture
def short_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name leaves room for a socket's."""
    return tmp_path_factory.mktemp("wire")


async def test_round_trips_of_warm_requests(own_database: URL, short_path: Path) -> None:
    async with tapped(own_database, short_path) as wire:
        app = create_app(settings_for(wire.url))
        async with app.router.lifespan_context(app), client_of(app) as client:
            await log_in(client)

            async def trips(method: str, path: str, json: object = None) -> int:
                for _ in range(8):  # until every statement is prepared
                    await client.request(method, path, json=json)
                wire.trips.clear()
                answer = await client.request(method, path, json=json)
                assert answer.is_success, answer.text
                return len(wire.trips)

            created = await client.post("/items", json={"name": "lamp"})
            path = f"/items/{created.json()['id']}"
            assert await trips("GET", "/users/me") == 1
            assert await trips("GET", "/items") == 2
            assert await trips("GET", path) == 2
            assert await trips("POST", "/items", {"name": "lamp"}) == 4
            assert await trips("PATCH", path, {"description": "brass"}) <= 5
