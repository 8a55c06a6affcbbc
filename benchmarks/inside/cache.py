"""The cache under many misses at once, under changes, and while Redis is stopped and frozen.

`python cache.py ask URL FILE TIME` is one of the processes that ask at once.
"""

import asyncio
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import httpx2
from brokers import redis
from pydantic import BaseModel, SecretStr
from service import (
    database_server,
    free_port,
    log_in,
    many,
    migrate,
    migrated,
    serving,
    until,
)
from sqlalchemy import URL, select

from app.cache.cache import Cache
from app.cache.config import CacheSettings
from app.cache.entries import Row, row
from app.cache.invalidation import InvalidatingDatabase
from app.users.models import User

PROCESSES, ASKERS = 2, 100
TRANSACTIONS, READERS = 1000, 5
CLIENTS, ITEMS, SECONDS = 20, 50, 8
PAUSE = 1


class Thing(BaseModel):
    """What is kept."""

    name: str


@contextmanager
def redis_server() -> Generator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start a Redis of one's own."""
    with tempfile.TemporaryDirectory() as folder:
        server = redis(Path(folder), free_port())
        server.start()
        assert server.process
        try:
            yield server.url, server.process
        finally:
            server.stop()


@asynccontextmanager
async def cache_at(url: str) -> AsyncGenerator[Cache]:
    """Yield a cache as one process has it."""
    cache = Cache(CacheSettings(url=SecretStr(url), pause=PAUSE))
    yield cache
    await cache.close()


async def ask(url: str, file: Path, begin: float) -> None:
    """Ask so often at once for what nobody has asked for; note each time that it is loaded."""

    async def load() -> Thing:
        with file.open("a") as loads:
            loads.write("loaded\n")
        await asyncio.sleep(0.05)
        return Thing(name="thing")

    async with cache_at(url) as cache:
        await asyncio.sleep(begin - time.time())
        rows = [Row("things/1")]
        await asyncio.gather(*(cache.get_or_load(Thing, rows, load) for _ in range(ASKERS)))


def misses(url: str) -> int:
    """Return how often a value was loaded that two processes wanted a hundred times each."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "loads"
        command = [sys.executable, __file__, "ask", url, str(file), str(time.time() + 8)]
        for process in [subprocess.Popen(command) for _ in range(PROCESSES)]:
            if process.wait():
                sys.exit("One of those that ask ended with an error, see above.")
        return len(file.read_text().splitlines())


async def changes(database_url: URL, url: str) -> dict[str, int]:
    """Change a row and undo every other change, while others read; count what was told wrongly."""
    figures = {"transactions": TRANSACTIONS, "told before the commit": 0, "old after it": 0}
    async with cache_at(url) as cache, cache_at(url) as elsewhere:
        plain = migrated(database_url)
        database = InvalidatingDatabase.of(plain, cache)
        async with plain.write.begin() as session:
            user = User(email="0", password_hash="")
            session.add(user)
        rows, committed, running = [row(User, user.id)], "0", True

        async def load() -> Thing:
            async with database.read() as session:
                return Thing(name=str(await session.scalar(select(User.email))))

        async def read() -> None:
            while running:
                told = await elsewhere.get_or_load(Thing, rows, load)
                figures["told before the commit"] += told.name.startswith("undone")
                await asyncio.sleep(0)

        async def change() -> None:
            nonlocal committed, running
            for number in range(TRANSACTIONS):
                stays = random.random() < 0.5
                async with database.write() as session:
                    (await session.get_one(User, user.id)).email = (
                        str(number) if stays else f"undone {number}"
                    )
                    await session.flush()
                    await (session.commit() if stays else session.rollback())
                committed = str(number) if stays else committed
                told = await elsewhere.get_or_load(Thing, rows, load)
                figures["old after it"] += told.name != committed
            running = False

        await asyncio.gather(change(), *(read() for _ in range(READERS)))
        await plain.close()
    return figures


async def load_service(client: httpx2.AsyncClient) -> dict[str, float]:
    """Read items and the account for a while; return the times in ms, and what went wrong."""
    names = [str(number) for number in range(ITEMS)]
    created = [await client.post("/items", json={"title": name}) for name in names]
    paths = ["/users/me", *(f"/items/{answer.json()['id']}" for answer in created)]
    times: list[float] = []
    errors = 0

    async def request() -> None:
        nonlocal errors
        start = time.monotonic()
        answer = await client.get(random.choice(paths))
        times.append((time.monotonic() - start) * 1000)
        errors += answer.status_code != 200

    await until(time.monotonic() + SECONDS, request, CLIENTS)
    cuts = statistics.quantiles(times, n=100)
    return {"requests": len(times), "errors": errors, "p50 ms": cuts[49], "p99 ms": cuts[98]}


async def disturbed(client: httpx2.AsyncClient, disturb: Callable[[], None]) -> dict[str, float]:
    """Load the service; after a third of the time something happens."""
    found = asyncio.create_task(load_service(client))
    await asyncio.sleep(SECONDS / 3)
    disturb()
    return await found


async def outages(
    database_url: URL, url: str, redis_process: "subprocess.Popen[bytes]"
) -> dict[str, dict[str, float]]:
    """Load the service without a cache, with one, and while Redis is frozen and then stopped."""
    found: dict[str, dict[str, float]] = {}
    settings = {"APP_CACHE_URL": url, "APP_CACHE_PAUSE": str(PAUSE)}
    async with AsyncExitStack() as stack:
        clients: dict[str, httpx2.AsyncClient] = {}
        for name, given in (("without", {}), ("with", settings)):
            address = stack.enter_context(serving(database_url, **given))
            clients[name] = await stack.enter_async_context(many(address, CLIENTS))
            await log_in(clients[name], f"{name}@example.org")
        for name, client in clients.items():
            found[name] = await load_service(client)
        freeze = partial(redis_process.send_signal, signal.SIGSTOP)
        found["frozen"] = await disturbed(clients["with"], freeze)
        redis_process.send_signal(signal.SIGCONT)
        await asyncio.sleep(2 * PAUSE)
        found["stopped"] = await disturbed(clients["with"], redis_process.kill)
    return found


async def main() -> None:
    """Measure, and print the figures as JSON."""
    if sys.argv[1:2] == ["ask"]:
        await ask(sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
        return
    with database_server() as server, redis_server() as (url, process):
        migrate(server.url)
        figures: dict[str, object] = {"loads of 200 at once": (loads := misses(url))}
        told = await changes(server.url, url)
        found = await outages(server.url, url, process)
    figures |= told
    for name, figure in found.items():
        figures |= {f"{name}: {key}": round(value, 1) for key, value in figure.items()}
    wrong = [value for key, value in told.items() if key != "transactions"]
    errors = [figure["errors"] for figure in found.values()]
    figures["ok"] = loads == 1 and not any(wrong) and not any(errors)
    print(json.dumps(figures))


asyncio.run(main())
