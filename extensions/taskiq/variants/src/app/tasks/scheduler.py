"""The scheduler: `python -m app.tasks.scheduler`.

Run exactly one: a second one would send every scheduled task twice.
"""

import asyncio
import signal
from contextlib import suppress

from taskiq.cli.scheduler.args import SchedulerArgs
from taskiq.cli.scheduler.run import run_scheduler

from app.tasks.connection import connect_process
from app.tasks.schedule import create_scheduler


def main() -> None:
    """Send tasks that are due, until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = SchedulerArgs(
        scheduler=create_scheduler(*connect_process()),
        modules=[],
        configure_logging=False,
        update_interval=1,
        send_timeout=20,
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(run_scheduler(arguments))


if __name__ == "__main__":
    main()
