"""Outages of Redis: values come from the database, and none is stale afterwards."""

# Depends on: src/app/cache/ tests/cache/fixtures.py tools/embedded_redis.py

import asyncio
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from structlog.testing import capture_logs

from app.cache.cache import Cache
from tests.cache.fixtures import ROWS, Loader, MakeCache, Thing
from tools.embedded_redis import replies, server_program, wait_until

PAUSE = 1


class Server:
    """A Redis server of one test, which can be stopped and frozen."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "socket"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        """Start the server, empty."""
        options = ["--port", "0", "--save", "", "--unixsocket", str(self.socket)]
        self.process = subprocess.Popen(
            [server_program(), *options], cwd=self.socket.parent, stdout=subprocess.DEVNULL
        )
        wait_until(lambda: replies(self.socket))

    def stop(self) -> None:
        """Stop the server."""
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Suspend the server: it accepts connections and sends no response."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume the server."""
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def server() -> Iterator[Server]:
    # The path of a Unix socket has at most about 100 characters: pytest's folders are too long.
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def cache(make_cache: MakeCache, server: Server) -> Cache:
    return make_cache(server.url, timeout=1, pause=PAUSE)


async def longest_wait(cache: Cache, load: Loader, number: int = 50) -> float:
    """Send concurrent requests; returns the longest time in seconds."""

    async def request() -> float:
        started = monotonic()
        assert await cache.get_or_load(Thing, ROWS, load) == Thing(name=load.name)
        return monotonic() - started

    return max(await asyncio.gather(*(request() for _ in range(number))))


async def test_stopped_server(cache: Cache, server: Server) -> None:
    load = Loader()
    await longest_wait(cache, load)
    server.stop()
    with capture_logs() as logs:
        for _ in range(3):
            await longest_wait(cache, load)
        server.start()
        assert [line["event"] for line in logs] == ["the cache is not available"]
        await asyncio.sleep(PAUSE)
        await longest_wait(cache, load)
        load.times = 0
        await longest_wait(cache, load)
        assert load.times == 0
    assert [line["event"] for line in logs[1:]] == ["the cache is available again"]


async def test_frozen_server(cache: Cache, server: Server) -> None:
    load = Loader("now")
    await longest_wait(cache, Loader("before"))
    server.freeze()
    with capture_logs() as logs:
        assert await longest_wait(cache, load) < 5
        started = monotonic()
        await longest_wait(cache, load)
        assert monotonic() - started < PAUSE
    assert [line["event"] for line in logs] == ["the cache is not available"]


async def test_restart_is_not_an_outage(cache: Cache, server: Server) -> None:
    """Broken connections in the pool are not an outage."""
    await longest_wait(cache, Loader())
    server.stop()
    server.start()
    with capture_logs() as logs:
        await longest_wait(cache, Loader("second"))
    assert logs == []


async def test_change_during_an_outage_invalidates_after_it(cache: Cache, server: Server) -> None:
    await longest_wait(cache, Loader("old"))
    server.freeze()
    with capture_logs():
        await longest_wait(cache, Loader("during the outage"))
        server.thaw()
        await cache.invalidate(ROWS)
        await asyncio.sleep(PAUSE)
        await longest_wait(cache, Loader("new"))


async def test_outage_while_others_wait_for_the_lock(cache: Cache, server: Server) -> None:
    load = Loader(seconds=0.2)
    with capture_logs():
        asked = asyncio.create_task(longest_wait(cache, load))
        await asyncio.sleep(0.1)
        server.stop()
        assert await asked < 5
