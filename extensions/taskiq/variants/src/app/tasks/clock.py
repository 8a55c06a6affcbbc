"""The scheduler's process: `python -m app.tasks.clock`, one copy and no more.

Two copies would send every scheduled task twice.
"""

import asyncio
import signal
from contextlib import suppress

from taskiq.cli.scheduler.args import SchedulerArgs
from taskiq.cli.scheduler.run import run_scheduler

from app.tasks.connection import connect_process
from app.tasks.scheduler import create_scheduler


def main() -> None:
    """Send tasks when their time has come, until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    scheduler = create_scheduler(*connect_process())
    settings = SchedulerArgs(
        scheduler=scheduler,
        modules=[],
        configure_logging=False,
        update_interval=1,
        send_timeout=20,
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(run_scheduler(settings))


if __name__ == "__main__":
    main()
