"""Tasks that failed: `python -m app.tasks.failed [list | resend ID … | delete ID …] [--json]`.

Instead of an ID, `all` means every task that was given up.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import SystemRandom

import structlog
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.config import get_settings
from app.db.base import utc_now
from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from app.tasks.models import FailedTask
from app.tasks.settings import TaskSettings

LONGEST_DELAY = 3600
"""Seconds."""
MOST = 1000
"""Tasks that are listed."""

logger = structlog.stdlib.get_logger("app.tasks")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m app.tasks.failed", description=__doc__)
    parser.add_argument("action", choices=("list", "resend", "delete"), nargs="?", default="list")
    parser.add_argument("ids", metavar="ID", nargs="*", help="as listed, or: all")
    parser.add_argument("--json", action="store_true", help="a list for machines")
    given = parser.parse_args()
    if given.action != "list" and not given.ids:
        parser.error(f"{given.action} needs the ID of a task, or: all")
    told = asyncio.run(_run(given.action, given.ids, as_json=given.json))
    sys.stdout.write(f"{told}\n")


async def _run(action: str, ids: Sequence[str], *, as_json: bool) -> str:
    database = Database.create(get_settings())
    try:
        if action == "list":
            async with database.read() as session:
                return await _listed(session, as_json=as_json)
        async with database.write.begin() as session:
            number = await (resend if action == "resend" else forget)(session, ids)
        done = "will be sent again" if action == "resend" else "deleted"
        return json.dumps({"tasks": number}) if as_json else f"{number} tasks {done}"
    finally:
        await database.close()


async def _listed(session: AsyncSession, *, as_json: bool) -> str:
    rows = (await session.scalars(FailedTask.oldest().limit(MOST))).all()
    if as_json:
        return json.dumps([_described(row) for row in rows])
    return "\n".join([*map(_line, rows), f"{len(rows)} failed tasks"])


def _line(row: FailedTask) -> str:
    then = f"again at {row.retry_at:%H:%M:%S}" if row.retry_at else "given up"
    attempt = f"attempt {row.attempt}, {then}"
    return f"{row.id}  {row.failed_at:%Y-%m-%d %H:%M:%S}  {row.name}  {attempt}: {row.error}"


def _described(row: FailedTask) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "attempt": row.attempt,
        "error": row.error,
        "failed_at": row.failed_at.isoformat(),
        "retry_at": row.retry_at.isoformat() if row.retry_at else None,
        "message": json.loads(row.message),
    }


async def store(database: Database, failed: FailedTask) -> None:
    """Store a task with its error; waits as long as the database is away."""
    while True:
        try:
            async with database.write.begin() as session:
                await session.merge(failed)
        except DatabaseUnavailable:
            await asyncio.sleep(1)
        else:
            return


def next_attempt(attempt: int, attempts: int, settings: TaskSettings) -> datetime | None:
    """When a task that failed is sent again; None if this was the last of its attempts."""
    if attempt >= attempts:
        logger.error("task given up", attempt=attempt)
        return None
    delay = min(settings.retry_delay * 2.0 ** (attempt - 1), LONGEST_DELAY)
    # Tasks that failed together should not come back together.
    return utc_now() + timedelta(seconds=delay * SystemRandom().uniform(1, 1.25))


async def resend(session: AsyncSession, ids: Sequence[str]) -> int:
    """Let the scheduler send these tasks as if for the first time; returns how many there are."""
    rows = (await session.scalars(select(FailedTask).where(_chosen(ids)))).all()
    for row in rows:
        row.retry_at, row.attempt = utc_now(), 0
    return len(rows)


async def forget(session: AsyncSession, ids: Sequence[str]) -> int:
    """Delete these tasks; returns how many there were."""
    rows = (await session.scalars(select(FailedTask).where(_chosen(ids)))).all()
    for row in rows:
        await session.delete(row)
    return len(rows)


def _chosen(ids: Sequence[str]) -> ColumnElement[bool]:
    return FailedTask.given_up() if "all" in ids else FailedTask.chosen(ids)


if __name__ == "__main__":
    main()
