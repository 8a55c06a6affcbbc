"""Round trips to the database per request, counted by a proxy."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import URL

from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.users.fixtures import log_in

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Wire:
    """The traffic between the service and the database."""

    url: URL
    """The URL of the proxy."""
    trips: list[bytes] = field(default_factory=list[bytes])
    """A Sync or a Query message for each round trip."""


@asynccontextmanager
async def tapped(url: URL, folder: Path) -> AsyncGenerator[Wire]:
    """Connect to the database at `url` through a socket in `folder`."""
    wire = Wire(url.update_query_dict({"host": str(folder)}))

    async def relay(from_service: asyncio.StreamReader, to_service: asyncio.StreamWriter) -> None:
        from_database, to_database = await _connect(url)
        back = asyncio.create_task(_copy(from_database, to_service))
        await _count(from_service, to_database, wire.trips)
        await back

    # Drivers derive the name of the socket from the port.
    server = await asyncio.start_unix_server(relay, folder / f".s.PGSQL.{url.port or 5432}")
    try:
        yield wire
    finally:
        server.close()


async def _connect(url: URL) -> Streams:
    host = url.host or str(url.query.get("host", "localhost"))
    port = url.port or 5432
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _count(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trips: list[bytes]
) -> None:
    """Pass messages on; see "Message Formats" in PostgreSQL's documentation."""
    kind = b""  # the first message has none
    try:
        while True:
            header = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(header) - 4)
            if kind in {b"S", b"Q"}:
                trips.append(body)
            writer.write(kind + header + body)
            await writer.drain()
            kind = await reader.readexactly(1)
    except asyncio.IncompleteReadError:
        writer.close()


@pytest.fixture
def short_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose path is short enough for that of a Unix socket."""
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
                response = await client.request(method, path, json=json)
                assert response.is_success, response.text
                return len(wire.trips)

            created = await client.post("/items", json={"title": "lamp"})
            path = f"/items/{created.json()['id']}"
            assert await trips("GET", "/users/me") == 1
            assert await trips("GET", "/items") == 2
            assert await trips("GET", path) == 2
            assert await trips("POST", "/items", {"title": "lamp"}) == 4
            assert await trips("PATCH", path, {"description": "brass"}) <= 5
