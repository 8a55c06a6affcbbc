"""The scheduler: `python -m app.tasks.scheduler`.

Run exactly one: a second one would send every scheduled task twice.
"""

import asyncio
import signal
from contextlib import suppress

from app.tasks.connection import opened_context
from app.tasks.process import process_settings
from app.tasks.schedule import run_schedule


def main() -> None:
    """Send tasks that are due, until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run())


async def _run() -> None:
    async with opened_context(*process_settings()) as context:
        await run_schedule(context)


if __name__ == "__main__":
    main()
