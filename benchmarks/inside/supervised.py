"""Processes that are killed, and started again as a container platform does."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import psutil


class Service:
    """A process that is started whenever it ends, as a container platform does."""

    def __init__(self, command: Sequence[str], variables: dict[str, str]) -> None:
        self.command = command
        self.variables = variables
        self.starts = 0
        self.process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Start it again and again."""
        nothing = asyncio.subprocess.DEVNULL
        while True:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self.command), env=self.variables, stdout=nothing, stderr=nothing
            )
            self.starts += 1
            await self.process.wait()

    def kill(self) -> None:
        """Kill it with all that it has started."""
        if self.process is None or self.process.returncode is not None:
            return
        parent = psutil.Process(self.process.pid)
        parent.suspend()  # no child gets away
        for process in [*parent.children(recursive=True), parent]:
            process.kill()


@asynccontextmanager
async def kept_running(*services: Service) -> AsyncGenerator[None]:
    """Keep services running; kill them at the end."""
    running = [asyncio.create_task(service.run()) for service in services]
    try:
        yield
    finally:
        for task, service in zip(running, services, strict=True):
            task.cancel()
            service.kill()
