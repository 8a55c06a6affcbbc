"""The database stops and starts again while 50 clients read and write for 20 seconds."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import httpx2
from service import Server, database_server, log_in, many, migrate, serving, until
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

CLIENTS = 50
SECONDS = 20
DOWN, UP = 6, 11
# How long a request may wait: for a connection of the pool, then for a new one.
TIMEOUT = 10 + 5


@dataclass
class Record:
    """What the clients saw."""

    started: list[tuple[float, float, int, str]] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    probes: list[tuple[float, int]] = field(default_factory=list)


async def load(client: httpx2.AsyncClient, server: Server) -> tuple[Record, float, float]:
    """Load the service, probe it, and let the database have its outage."""
    record = Record()
    numbers = count()
    begin = time.monotonic()
    away: list[float] = []

    async def request() -> None:
        start = time.monotonic()
        number = next(numbers)
        if number % 2:
            answer = await client.get("/items", params={"limit": 5})
        else:
            answer = await client.post("/items", json={"title": str(number)})
            kept = record.written if answer.status_code == 201 else record.refused
            kept.add(str(number))
        kind = answer.headers["content-type"]
        record.started.append((start, time.monotonic() - start, answer.status_code, kind))

    async def probe() -> None:
        answer = await client.get("/readyz")
        record.probes.append((time.monotonic(), answer.status_code))
        await asyncio.sleep(0.05)

    async def outage() -> None:
        await asyncio.sleep(DOWN)
        away.append(time.monotonic())
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(begin + UP - time.monotonic())
        await asyncio.to_thread(server.start)

    deadline = begin + SECONDS
    await asyncio.gather(until(deadline, request, CLIENTS), until(deadline, probe, 1), outage())
    down = away[0]
    lost = next(moment for moment, status in record.probes if moment > down and status == 503)
    back = next(moment for moment, status in record.probes if moment > lost and status == 200)
    return record, down, back


async def main() -> None:
    """Measure, and print the figures as JSON."""
    with database_server() as server:
        migrate(server.url)
        with serving(server.url) as address:
            async with many(address, CLIENTS + 1) as client:
                await log_in(client)
                record, down, back = await load(client, server)
        engine = create_async_engine(server.url)
        async with engine.connect() as connection:
            stored = {
                str(name) for name in await connection.scalars(text("SELECT title FROM items"))
            }
        await engine.dispose()
    statuses = Counter(status for _, _, status, _ in record.started)
    problems = {kind for _, _, status, kind in record.started if status >= 400}
    late = [s for start, _, s, _ in record.started if start > back and s >= 400]
    during = [s for start, _, s, _ in record.started if down < start < back]
    figures = {
        "requests": len(record.started),
        "statuses": dict(sorted(statuses.items())),
        "during the outage": len(during),
        "slowest s": round(max(seconds for _, seconds, _, _ in record.started), 2),
        "failed after the first good probe": len(late),
        "answered 201 and lost": len(record.written - stored),
        "refused and stored": len(record.refused & stored),
    }
    figures["ok"] = (
        set(statuses) == {200, 201, 503}
        and problems == {"application/problem+json"}
        and figures["slowest s"] < TIMEOUT
        and not late
        and not record.written - stored
    )
    print(json.dumps(figures))


asyncio.run(main())
