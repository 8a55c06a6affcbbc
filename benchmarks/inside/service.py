"""A service and its database, for benchmarks that run inside of a generated project."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr
from sqlalchemy import URL, make_url

from app.core.config import Settings
from app.core.logging import configure_logging
from app.db.session import Database

DRIVER = next(name for name in ("psycopg", "asyncpg", "asyncmy", "aiosqlite") if find_spec(name))
PASSWORD = "correct horse battery staple"
PROJECT = Path.cwd()


class Server:
    """A database server that can be stopped and started again."""

    def __init__(self, url: URL, start: Callable[[], None], stop: Callable[[], None]) -> None:
        self.url = url
        self.start = start
        self.stop = stop


@contextmanager
def database_server() -> Generator[Server]:
    """Start a server of this project's kind with an empty database, apart from all others."""
    start = {"psycopg": postgresql, "asyncpg": postgresql, "asyncmy": mysql, "aiosqlite": sqlite}
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    folder.chmod(0o755)
    try:
        with start[DRIVER](folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql(_folder: Path) -> Generator[Server]:
    """Start the embedded PostgreSQL, with a folder of its own."""
    from tools import embedded_postgres

    with embedded_postgres.postgres_server(f"bench-{os.getpid()}", durable=True) as postgres:
        postgres.ensure_database()
        file = postgres.data / "postmaster.pid"
        # What the context itself does; a second context would join the server.
        again: Any = embedded_postgres._start  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

        def start() -> None:
            again(postgres.data.parent, postgres.sockets, durable=True)

        def stop() -> None:
            os.kill(int(file.read_text().partition("\n")[0]), signal.SIGINT)  # a fast shutdown
            wait_for(lambda: not file.exists())

        yield Server(make_url(postgres.url("app", DRIVER)), start, stop)
    shutil.rmtree(postgres.data.parent, ignore_errors=True)


@contextmanager
def mysql(folder: Path) -> Generator[Server]:
    """Start a MariaDB of the system's package, with data of its own."""
    program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("Install MariaDB's server for this: there is no mariadbd.")
    port = free_port()
    data = folder / "data"
    options = ["--no-defaults", f"--datadir={data}", "--user=root"]
    install = ["mariadb-install-db", *options, "--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    running: list[subprocess.Popen[bytes]] = []
    serve = [
        *(program, *options, f"--port={port}", "--bind-address=127.0.0.1"),
        *(f"--socket={folder}/socket", "--character-set-server=utf8mb4", "--max-connections=300"),
    ]

    def start() -> None:
        running.append(subprocess.Popen(serve, stderr=subprocess.DEVNULL))
        wait_for(lambda: answers(port))

    def stop() -> None:
        running[-1].terminate()
        running[-1].wait()

    start()
    try:
        client = ["mariadb", "--no-defaults", "--user=root", f"--socket={folder}/socket"]
        subprocess.run([*client, "--execute=CREATE DATABASE app"], check=True)
        url = f"mysql+{DRIVER}://root@127.0.0.1:{port}/app"
        yield Server(make_url(url), start, stop)
    finally:
        stop()


@contextmanager
def sqlite(folder: Path) -> Generator[Server]:
    """Name a file, which cannot be stopped."""
    url = URL.create(f"sqlite+{DRIVER}", database=str(folder / "app.db"))
    yield Server(url, lambda: None, lambda: None)


def environment(url: URL, **settings: str) -> dict[str, str]:
    """Return the environment of a service on this database."""
    return {
        **os.environ,
        "APP_DATABASE_URL": url.render_as_string(hide_password=False),
        "APP_ENVIRONMENT": "development",
        "APP_LOG_LEVEL": "ERROR",
        **settings,
    }


def migrate(url: URL) -> None:
    """Create the tables."""
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, check=True, env=environment(url), stderr=subprocess.DEVNULL)


def migrated(url: URL) -> Database:
    """Create the tables, and return the database as the project uses it."""
    migrate(url)
    plain = SecretStr(url.render_as_string(hide_password=False))
    settings = Settings(environment="test", database_url=plain, log_level="ERROR")
    configure_logging(settings)
    return Database.create(settings)


@contextmanager
def serving(url: URL, **settings: str) -> Generator[str]:
    """Serve by uvicorn, and yield the address."""
    port = free_port()
    command = ["uvicorn", "app.main:create_app", "--factory", "--no-access-log", f"--port={port}"]
    service = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment(url, **settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        service.terminate()
        service.wait()


async def log_in(client: httpx2.AsyncClient, email: str = "somebody@example.org") -> None:
    """Open an account and act for it."""
    await client.post("/auth/register", json={"email": email, "password": PASSWORD})
    answer = await client.post("/auth/token", data={"username": email, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def many(address: str, clients: int) -> httpx2.AsyncClient:
    """Return a client with so many connections."""
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    return httpx2.AsyncClient(base_url=address, limits=limits, timeout=60)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until the condition holds; end the benchmark if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("What was started is not there after a minute.")
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(deadline: float, work: Callable[[], Any], workers: int) -> None:
    """Let so many workers do the work again and again until the time is up."""

    async def worker() -> None:
        while time.monotonic() < deadline:
            await work()

    await asyncio.gather(*(worker() for _ in range(workers)))
