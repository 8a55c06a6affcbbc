"""5,000 changes through the outbox: how soon they are sent, and what is lost when all is killed.

The first thousand at 50 a second in peace, the others while service, relays and worker are killed
at random.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import httpx2
from brokers import broker_server
from service import answers, database_server, environment, free_port, many, migrated, wait_for
from sqlalchemy import text
from supervised import Service, kept_running
from things import TABLES

from app.db.session import Database

THINGS = [f"thing{number}" for number in range(20)]
PEACE, ALL = 1_000, 5_000
RATE, FASTER = 50, 100
CLIENTS = 20
KILL_EVERY = 5
SOON = 0.05
DEADLINE = 90

Line = tuple[str, int, float]


class Run:
    """Changes, and what became of them."""

    def __init__(self, client: httpx2.AsyncClient, database: Database, folder: Path) -> None:
        self.client = client
        self.database = database
        self.sent = folder / "sent"
        self.committed = folder / "committed"
        self.answered = 0
        self.unanswered = 0
        self._names = count()

    async def change(self, number: int, rate: float) -> None:
        """Make so many changes that were answered, so many a second."""
        begin = time.monotonic()
        slots = count()
        until = self.answered + number

        async def client() -> None:
            while self.answered < until:
                await asyncio.sleep(begin + next(slots) / rate - time.monotonic())
                name = THINGS[next(self._names) % len(THINGS)]
                try:
                    answer = await self.client.post(f"/things/{name}")
                except httpx2.TransportError:
                    self.unanswered += 1
                else:
                    self.answered += answer.is_success

        await asyncio.gather(*(client() for _ in range(CLIENTS)))

    async def changes(self) -> Mapping[str, int]:
        """Ask the database how often each thing was changed."""
        async with self.database.read() as session:
            rows = await session.execute(text("SELECT name, version FROM things"))
            return {row.name: row.version for row in rows}

    async def marks(self) -> list[tuple[str, int]]:
        """Ask it what the tasks did."""
        async with self.database.read() as session:
            rows = await session.execute(text("SELECT name, version FROM marks"))
            return [(row.name, row.version) for row in rows]

    async def drain(self) -> float:
        """Wait until every change has led to its mark; returns how long it took."""
        begin = time.monotonic()
        changes = sum((await self.changes()).values())
        while time.monotonic() < begin + DEADLINE:
            if len(await self.marks()) >= changes:
                break
            await asyncio.sleep(0.2)
        return time.monotonic() - begin

    def delays(self, lines: list[Line]) -> list[float]:
        """Return how long after their commit these were sent, sorted."""
        committed = {line[:2]: line[2] for line in read(self.committed)}
        return sorted(max(0, at - committed[name, version]) for name, version, at in lines)


def read(file: Path) -> list[Line]:
    """Read what was noted, in this order: thing, version, time."""
    found = (line.split() for line in file.read_text().splitlines())
    return [(name, int(version), float(at)) for name, version, at in found]


def out_of_order(lines: list[Line]) -> int:
    """Count the messages that came before one of an earlier change of their thing."""
    newest: defaultdict[str, int] = defaultdict(int)
    wrong = 0
    for name, version, _ in lines:
        wrong += version > newest[name] + 1
        newest[name] = max(newest[name], version)
    return wrong


async def kill_always(services: list[Service]) -> int:
    """Kill one after the other at random."""
    kills = 0
    try:
        while True:
            await asyncio.sleep(random.uniform(0.5, 1.5) * KILL_EVERY)
            random.choice(services).kill()
            kills += 1
    except asyncio.CancelledError:
        return kills


async def prepare(database: Database) -> None:
    """Make the things."""
    async with database.write.begin() as session:
        for table in TABLES:
            await session.execute(text(table))
        rows = [{"name": name} for name in THINGS]
        await session.execute(text("INSERT INTO things VALUES (:name, 0)"), rows)


async def main() -> None:
    """Measure, and print the figures as JSON."""
    with (
        broker_server() as broker,
        database_server() as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        database = migrated(server.url)
        await prepare(database)
        known = environment(
            server.url,
            APP_TASKS_BROKER_URL=broker.url,
            APP_TASKS_TIME_LIMIT="2",
            APP_TASKS_REDELIVERY_AFTER="5",
            BENCH_SENT=str(Path(folder) / "sent"),
            BENCH_COMMITTED=str(Path(folder) / "committed"),
        )
        here = Path(__file__).parent
        known["PYTHONPATH"] = f"{here}:{known['PYTHONPATH']}"
        port = free_port()
        serve = ["-m", "uvicorn", "things:create", "--factory", "--no-access-log", f"--port={port}"]
        things = str(here / "things.py")
        service = Service(serve, known)
        relays = [Service([things, "relay"], known) for _ in range(2)]
        worker = Service([things, "worker"], known)
        async with kept_running(service, *relays, worker):
            await asyncio.to_thread(wait_for, lambda: answers(port))
            async with many(f"http://127.0.0.1:{port}", CLIENTS) as client:
                figures = await measure(
                    Run(client, database, Path(folder)), [service, *relays, worker]
                )
        await database.close()
    print(json.dumps(figures))


async def measure(run: Run, services: list[Service]) -> dict[str, float | bool]:
    """Change in peace, then while everything is killed."""
    await run.change(len(THINGS), RATE)
    await run.drain()  # everything has started
    begin = len(read(run.sent))
    await run.change(PEACE, RATE)
    await run.drain()
    delays = run.delays(read(run.sent)[begin:])
    killing = asyncio.create_task(kill_always(services))
    await run.change(ALL - PEACE, FASTER)
    killing.cancel()
    kills = await killing
    drained = await run.drain()
    changes, marks, lines = await run.changes(), await run.marks(), read(run.sent)
    expected = {(name, v) for name, newest in changes.items() for v in range(1, newest + 1)}
    cuts = statistics.quantiles(delays, n=100)
    figures: dict[str, float | bool] = {
        "changes": len(expected),
        "answered": run.answered,
        "unanswered": run.unanswered,
        "kills": kills,
        "lost": len(expected - {*marks}),
        "invented": len({*marks} - expected),
        "doubled": len(marks) - len({*marks}),
        "out of order": out_of_order(lines),
        "sent again": len(lines) - len({line[:2] for line in lines}),
        "drain s": round(drained, 1),
        "p50 ms": round(cuts[49] * 1000, 1),
        "p99 ms": round(cuts[98] * 1000, 1),
        "max ms": round(delays[-1] * 1000, 1),
    }
    wrong = ("lost", "invented", "doubled", "out of order")
    figures["ok"] = not any(figures[name] for name in wrong) and cuts[98] <= SOON
    return figures


asyncio.run(main())
