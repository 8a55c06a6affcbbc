"""Worker processes, and waiting for what they do."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

import psutil
from sqlalchemy import select

from app.db.session import Database
from app.tasks.models import TaskEffect
from tests.conftest import PROJECT

TIMEOUT = 120


@asynccontextmanager
async def started(
    module: str, environment: dict[str, str], log: Path = Path(os.devnull)
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a module in a process, which is killed on exit if it has not ended before."""
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module), env=environment, cwd=PROJECT, stdout=output
        )
    try:
        yield process
    finally:
        kill(process)
        await process.wait()


def kill(process: asyncio.subprocess.Process) -> None:
    """Kill the process and its children."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        # Suspended, it cannot start another child meanwhile.
        parent.suspend()
        for each in (*parent.children(recursive=True), parent):
            each.kill()


async def are_recorded(database: Database, *keys: str) -> bool:
    """Wait until tasks have recorded all these effects; return whether they did in time."""

    async def are_there() -> bool:
        async with database.read() as session:
            return set(keys) <= {effect.key for effect in await session.scalars(select(TaskEffect))}

    return await comes_true(are_there)


async def comes_true(condition: Callable[[], Awaitable[bool]]) -> bool:
    """Wait for a condition; return whether it became true in time."""
    until = monotonic() + TIMEOUT
    while monotonic() < until:
        if await condition():
            return True
        await asyncio.sleep(0.05)
    return False
