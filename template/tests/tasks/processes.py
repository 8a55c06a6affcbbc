"""Processes beside the service, and what they leave in the database."""

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
from tests.migrating import PROJECT

PATIENCE = 30


@asynccontextmanager
async def started(
    module: str, environment: dict[str, str], log: Path = Path(os.devnull)
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that runs a module, killed at the end if it has not ended before."""
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
    """End the process and those that it started, without a warning."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        # Else it might start another one meanwhile.
        parent.suspend()
        for each in (*parent.children(recursive=True), parent):
            each.kill()


async def are_left(database: Database, *keys: str) -> bool:
    """Whether tasks leave all these marks before patience ends."""

    async def are_there() -> bool:
        async with database.read() as session:
            return set(keys) <= {mark.key for mark in await session.scalars(select(TaskEffect))}

    return await comes_true(are_there)


async def comes_true(condition: Callable[[], Awaitable[bool]]) -> bool:
    """Whether something happens that other processes or tasks bring about."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        if await condition():
            return True
        await asyncio.sleep(0.05)
    return False
