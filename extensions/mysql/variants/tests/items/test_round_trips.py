"""How often a request waits for the database, counted on the wire by a proxy in between."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import URL

from app.main import create_app
from tests.accounts import log_in
from tests.conftest import client_of, settings_for


@dataclass
class Wire:
    """What went over the wire."""

    url: URL
    """Where the service connects to."""
    trips: list[bytes] = field(default_factory=list[bytes])
    """A command for each time that the service waited for the database."""


@asynccontextmanager
async def tapped(url: URL) -> AsyncGenerator[Wire]:
    """Connect to the database at `url` through a port of its own."""
    trips: list[bytes] = []

    async def relay(from_service: asyncio.StreamReader, to_service: asyncio.StreamWriter) -> None:
        from_database, to_database = await asyncio.open_connection(url.host, url.port or 3306)
        back = asyncio.create_task(_copy(from_database, to_service))
        await _count(from_service, to_database, trips)
        await back

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    try:
        yield Wire(url.set(host="127.0.0.1", port=port), trips)
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _count(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trips: list[bytes]
) -> None:
    """Pass packets on; see "MySQL Packets" in MySQL's documentation."""
    try:
        while True:
            header = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(header[:3], "little"))
            if header[3] == 0:  # the first packet of a command
                trips.append(body)
            writer.write(header + body)
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def test_round_trips_of_warm_requests(own_database: URL) -> None:
    async with tapped(own_database) as wire:
        app = create_app(settings_for(wire.url))
        async with app.router.lifespan_context(app), client_of(app) as client:
            await log_in(client)

            async def trips(method: str, path: str, json: object = None) -> int:
                for _ in range(8):  # until everything is cached
                    await client.request(method, path, json=json)
                wire.trips.clear()
                answer = await client.request(method, path, json=json)
                assert answer.is_success, answer.text
                return len(wire.trips)

            created = await client.post("/items", json={"name": "lamp"})
            path = f"/items/{created.json()['id']}"
            assert await trips("GET", "/users/me") == 2
            assert await trips("GET", "/items") == 4
            assert await trips("GET", path) == 4
            assert await trips("POST", "/items", {"name": "lamp"}) == 4
            assert await trips("PATCH", path, {"description": "brass"}) <= 5
