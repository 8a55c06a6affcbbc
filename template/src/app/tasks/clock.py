"""The scheduler's process: `python -m app.tasks.clock`, one copy and no more.

It sends tasks that have a `cron`, and those that failed, when their time has come. Two copies would
send every scheduled task twice.
"""

import asyncio
import signal
from contextlib import suppress

from app.tasks.connection import opened_context
from app.tasks.process import process_settings
from app.tasks.scheduler import tick


def main() -> None:
    """Send tasks when their time has come, until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run())


async def _run() -> None:
    async with opened_context(*process_settings()) as context:
        await tick(context)


if __name__ == "__main__":
    main()
