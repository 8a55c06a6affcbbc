"""How fast a library sends and does tasks, and how soon it gives away those of a killed worker."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
from brokers import broker_server
from effects import TABLE
from library import LIBRARY
from marking import sending
from pydantic import SecretStr
from service import database_server, environment, migrated
from sqlalchemy import text
from supervised import Service, kept_running

from app.tasks.config import TaskSettings

# A process for each task takes its time.
TASKS = 150 if LIBRARY == "rq" else 2_000
SENDERS = 50
KILLS = 3
TIMES = {"time_limit": 2.0, "redelivery_after": 5.0}
MEGABYTE = 2**20


class Attempts:
    """What the workers have noted."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, word: str) -> list[str]:
        """Return the keys of which they noted this word."""
        lines = (line.split() for line in self._file.read_text().splitlines())
        return [key for said, key in lines if said == word]

    async def until(self, number: int, word: str) -> float:
        """Wait until there are so many; return when that was."""
        while True:
            if len(self.of(word)) >= number:
                return time.monotonic()
            await asyncio.sleep(0.02)


async def sent_per_second(send: Callable[[str, float], Awaitable[object]]) -> float:
    """Send the tasks, many at a time."""
    left = iter(range(TASKS))

    async def sender() -> None:
        for number in left:
            await send(f"{number:05}", 0)

    begin = time.monotonic()
    await asyncio.gather(*(sender() for _ in range(SENDERS)))
    return TASKS / (time.monotonic() - begin)


async def redelivered_after(
    send: Callable[[str, float], Awaitable[object]], worker: Service, attempts: Attempts
) -> float:
    """Kill the worker in the middle of a task; return the seconds until another one begins it."""
    before = len(attempts.of("began"))
    await send(f"{90_000 + before:05}", 1.5)
    await attempts.until(before + 1, "began")
    await asyncio.sleep(0.5)
    worker.kill()
    killed = time.monotonic()
    seconds = await attempts.until(before + 2, "began") - killed
    await asyncio.sleep(2)
    return seconds


def megabytes(worker: Service) -> float:
    """Return the memory of the worker with all that it has started."""
    assert worker.process
    parent = psutil.Process(worker.process.pid)
    processes = [parent, *parent.children(recursive=True)]
    return sum(process.memory_full_info().pss for process in processes) / MEGABYTE


async def main() -> None:
    """Measure, and print the figures as JSON."""
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(broker_server())
        server = stack.enter_context(database_server())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        (file := Path(folder) / "attempts").touch()
        database = migrated(server.url)
        async with database.write.begin() as session:
            await session.execute(text(TABLE))
        times = {f"APP_TASKS_{name}".upper(): str(value) for name, value in TIMES.items()}
        variables = {"APP_TASKS_BROKER_URL": broker.url, "BENCH_ATTEMPTS": str(file)}
        known = environment(server.url, **times, **variables)
        worker = Service([str(Path(__file__).with_name("marking.py"))], known)
        attempts = Attempts(file)
        settings = TaskSettings(broker_url=SecretStr(broker.url), **TIMES)
        send = await stack.enter_async_context(sending(settings, database))
        await send("99999", 0)
        sent = await sent_per_second(send)
        await stack.enter_async_context(kept_running(worker))
        begin = await attempts.until(1, "ended")
        done = TASKS / (await attempts.until(TASKS + 1, "ended") - begin)
        await asyncio.sleep(1)  # processes for single tasks end
        memory = megabytes(worker)
        lags = [await redelivered_after(send, worker, attempts) for _ in range(KILLS)]
        await database.close()
    figures = {
        "sent/s": round(sent),
        "done/s": round(done),
        "given away after s": round(statistics.median(lags), 1),
        "worker MB": round(memory),
        "ok": True,
    }
    print(json.dumps(figures))


asyncio.run(main())
