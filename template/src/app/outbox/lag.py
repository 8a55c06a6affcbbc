"""The lag of the relay: `python -m app.outbox.lag [--json]`."""

import argparse
import asyncio
import json
import sys

from sqlalchemy import func, select

from app.core.config import get_settings
from app.db.base import utc_now
from app.db.session import Database
from app.outbox.models import OutboxMessage


def main() -> None:
    """Print how many messages wait, for how long the oldest has, and how many cannot be sent."""
    parser = argparse.ArgumentParser(prog="python -m app.outbox.lag", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json: bool = parser.parse_args().json
    waiting, seconds, failing = asyncio.run(_lag())
    output = f"{waiting} messages wait, the oldest for {seconds:.1f} s; {failing} could not be sent"
    if as_json:
        values = {"waiting": waiting, "oldest_seconds": round(seconds, 3), "failing": failing}
        output = json.dumps(values)
    sys.stdout.write(f"{output}\n")


async def _lag() -> tuple[int, float, int]:
    database = Database.create(get_settings())
    try:
        return await lag(database)
    finally:
        await database.close()


async def lag(database: Database) -> tuple[int, float, int]:
    """Return how many messages wait, for how many seconds the oldest has, and how many failed."""
    count = select(func.count()).select_from(OutboxMessage)
    async with database.read() as session:
        waiting = await session.scalar(count) or 0
        failing = await session.scalar(count.where(OutboxMessage.failing())) or 0
        oldest = await session.scalar(OutboxMessage.oldest().limit(1))
    seconds = (utc_now() - oldest.created_at).total_seconds() if oldest else 0
    return waiting, seconds, failing


if __name__ == "__main__":
    main()
