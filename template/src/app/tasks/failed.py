"""Failed tasks: `python -m app.tasks.failed [list | resend ID … | delete ID …] [--json]`.

`all` in place of an ID selects every task that was given up.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.config import get_settings
from app.db.session import Database
from app.tasks.models import FailedTask
from app.tasks.service import forget, resend

LIMIT = 1000
"""The number of tasks that are listed at most."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m app.tasks.failed", description=__doc__)
    parser.add_argument("action", choices=("list", "resend", "delete"), nargs="?", default="list")
    parser.add_argument("ids", metavar="ID", nargs="*", help="as listed, or: all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.action != "list" and not arguments.ids:
        parser.error(f"{arguments.action} needs the ID of a task, or: all")
    output = asyncio.run(_run(arguments.action, arguments.ids, as_json=arguments.json))
    sys.stdout.write(f"{output}\n")


async def _run(action: str, ids: Sequence[str], *, as_json: bool) -> str:
    database = Database.create(get_settings())
    try:
        return await run(database, action, ids, as_json=as_json)
    finally:
        await database.close()


async def run(database: Database, action: str, ids: Sequence[str], *, as_json: bool) -> str:
    """Carry out an action on the failed tasks; return its output."""
    if action == "list":
        async with database.read() as session:
            return await _list(session, as_json=as_json)
    async with database.write.begin() as session:
        number = await (resend if action == "resend" else forget)(session, ids)
    done = "will be sent again" if action == "resend" else "deleted"
    return json.dumps({"tasks": number}) if as_json else f"{number} tasks {done}"


async def _list(session: AsyncSession, *, as_json: bool) -> str:
    tasks = (await session.scalars(FailedTask.oldest().limit(LIMIT))).all()
    if as_json:
        return json.dumps([_described(task) for task in tasks])
    return "\n".join([*map(_line, tasks), f"{len(tasks)} failed tasks"])


def _line(task: FailedTask) -> str:
    then = f"retry at {task.retry_at:%H:%M:%S}" if task.retry_at else "given up"
    attempt = f"attempt {task.attempt}, {then}"
    return f"{task.id}  {task.failed_at:%Y-%m-%d %H:%M:%S}  {task.name}  {attempt}: {task.error}"


def _described(task: FailedTask) -> dict[str, object]:
    return {
        "id": task.id,
        "name": task.name,
        "attempt": task.attempt,
        "error": task.error,
        "failed_at": task.failed_at.isoformat(),
        "retry_at": task.retry_at.isoformat() if task.retry_at else None,
        "message": _parsed(task.message),
    }


def _parsed(message: str) -> object:
    """Parse a message; one that is not JSON stays as it is."""
    with suppress(ValueError):
        return json.loads(message)
    return message


if __name__ == "__main__":
    main()
