"""How far the relay is behind: `python -m app.outbox.lag [--json]`."""

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
    """Print how many messages wait, and since when the oldest does."""
    parser = argparse.ArgumentParser(prog="python -m app.outbox.lag", description=__doc__)
    parser.add_argument("--json", action="store_true", help="an object for machines")
    as_json: bool = parser.parse_args().json
    waiting, seconds = asyncio.run(_lag())
    told = f"{waiting} messages wait, the oldest for {seconds:.1f} s"
    if as_json:
        told = json.dumps({"waiting": waiting, "oldest_seconds": round(seconds, 3)})
    sys.stdout.write(f"{told}\n")


async def _lag() -> tuple[int, float]:
    database = Database.create(get_settings())
    try:
        return await lag(database)
    finally:
        await database.close()


async def lag(database: Database) -> tuple[int, float]:
    """How many messages wait, and for how many seconds the oldest does."""
    async with database.read() as session:
        waiting = await session.scalar(select(func.count()).select_from(OutboxMessage))
        oldest = await session.scalar(OutboxMessage.oldest().limit(1))
    return waiting or 0, (utc_now() - oldest.created_at).total_seconds() if oldest else 0


if __name__ == "__main__":
    main()
