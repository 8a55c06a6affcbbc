"""50 clients for 60 seconds on PgBouncer in transaction mode, with 8 connections to the server."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx2
from service import (
    answers,
    database_server,
    free_port,
    log_in,
    many,
    migrate,
    serving,
    until,
    wait_for,
)
from sqlalchemy import URL

CLIENTS = 50
SECONDS = 60

CONFIGURATION = """
[databases]
app = host={host} port=5432 dbname=app user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
server_reset_query =
unix_socket_dir =
logfile = {folder}/log
pidfile = {folder}/pid
"""


@contextmanager
def pooler(url: URL) -> Generator[URL]:
    """Start PgBouncer before the database, and yield the URL of both together."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("Install PgBouncer for this, as Debian's package pgbouncer.")
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        file = folder / "pgbouncer.ini"
        host = str(url.query["host"])
        file.write_text(CONFIGURATION.format(host=host, port=port, folder=folder))
        # It refuses to run as root, and the folder of the socket is closed to others.
        owner = Path(host).owner()
        user = ["runuser", "-u", owner, "--"] if os.geteuid() == 0 else []
        process = subprocess.Popen([*user, program, "-q", str(file)])
        wait_for(lambda: answers(port))
        try:
            yield URL.create(url.drivername, "postgres", None, "127.0.0.1", port, "app")
        finally:
            process.terminate()
            process.wait()


async def load(client: httpx2.AsyncClient) -> Counter[int]:
    """Create, read, list and change items."""
    statuses: Counter[int] = Counter()
    numbers = count()

    async def work() -> None:
        created = await client.post("/items", json={"title": str(next(numbers))})
        statuses[created.status_code] += 1
        if created.status_code != 201:
            return
        path = f"/items/{created.json()['id']}"
        for answer in (
            await client.get(path),
            await client.get("/items", params={"limit": 5}),
            await client.patch(path, json={"description": "changed"}),
        ):
            statuses[answer.status_code] += 1

    await until(time.monotonic() + SECONDS, work, CLIENTS)
    return statuses


async def main() -> None:
    """Measure, and print the figures as JSON."""
    with database_server() as server:
        migrate(server.url)
        with pooler(server.url) as url, serving(url, APP_DATABASE_POOLER="true") as address:
            async with many(address, CLIENTS) as client:
                await log_in(client)
                statuses = await load(client)
    errors = sum(number for status, number in statuses.items() if status >= 400)
    figures = {"requests": statuses.total(), "errors": errors, "ok": not errors}
    print(json.dumps(figures | {"statuses": dict(sorted(statuses.items()))}))


asyncio.run(main())
