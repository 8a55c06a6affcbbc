"""Eight processes migrate one empty database at once; then down to nothing, and up again."""

import asyncio
import json
import subprocess
import sys

from service import database_server, environment
from sqlalchemy import URL
from tests.test_migrations import schema_of

PROCESSES = 8
ROUNDS = 5
UPGRADE = """
from alembic import command
from alembic.config import Config
import app.main
print(flush=True)
input()
command.upgrade(Config(toml_file="pyproject.toml"), "head")
"""


def upgrade_at_once(url: URL) -> int:
    """Migrate by all processes at one moment, and return how many failed."""
    pipe = subprocess.PIPE
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE],
            env=environment(url),
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(PROCESSES)
    ]
    for run in runs:
        run.stdout.readline()  # it has imported what it needs
    for run in runs:
        run.stdin.write(b"\n")
        run.stdin.flush()
    return sum(run.wait() != 0 for run in runs)


def alembic(url: URL, *arguments: str) -> None:
    """Run Alembic."""
    command = [sys.executable, "-m", "alembic", *arguments]
    subprocess.run(command, check=True, env=environment(url), stderr=subprocess.DEVNULL)


async def main() -> None:
    """Measure, and print the figures as JSON."""
    failed = 0
    schemas: list[list[str]] = []
    with database_server() as server:
        for _ in range(ROUNDS):
            failed += upgrade_at_once(server.url)
            schemas.append(await schema_of(server.url))
            alembic(server.url, "downgrade", "base")
        alembic(server.url, "upgrade", "head")
        schemas.append(await schema_of(server.url))
    figures = {
        "upgrades": PROCESSES * ROUNDS,
        "failed": failed,
        "schemas": len({tuple(found) for found in schemas}),
        "entries": len(schemas[0]),
    }
    ok = not failed and figures["schemas"] == 1 and figures["entries"] > 10
    print(json.dumps(figures | {"ok": ok}))


asyncio.run(main())
