"""While Redis is away the database answers; what changed meanwhile is not given afterwards."""

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
    """A Redis of one test, which can be stopped and frozen."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "socket"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        """Start it with nothing in it."""
        options = ["--port", "0", "--save", "", "--unixsocket", str(self.socket)]
        self.process = subprocess.Popen(
            [server_program(), *options], cwd=self.socket.parent, stdout=subprocess.DEVNULL
        )
        wait_until(lambda: replies(self.socket))

    def stop(self) -> None:
        """Stop it."""
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Let it take connections and give no answer."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def server() -> Iterator[Server]:
    # The path of a socket may have about a hundred characters, which pytest's folders exceed.
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def cache(make_cache: MakeCache, server: Server) -> Cache:
    return make_cache(server.url, timeout=1, pause=PAUSE)


async def longest_wait(cache: Cache, load: Loader, number: int = 50) -> float:
    """Ask so often at once; returns how long the slowest took."""

    async def ask() -> float:
        started = monotonic()
        assert await cache.get_or_load(Thing, ROWS, load) == Thing(name=load.name)
        return monotonic() - started

    return max(await asyncio.gather(*(ask() for _ in range(number))))


async def test_stopped(cache: Cache, server: Server) -> None:
    load = Loader()
    await longest_wait(cache, load)
    server.stop()
    with capture_logs() as logs:
        for _ in range(3):
            await longest_wait(cache, load)
        server.start()
        assert [line["event"] for line in logs] == ["no answer from the cache"]
        await asyncio.sleep(PAUSE)
        await longest_wait(cache, load)
        load.times = 0
        await longest_wait(cache, load)
        assert load.times == 0
    assert [line["event"] for line in logs[1:]] == ["the cache answers again"]


async def test_frozen(cache: Cache, server: Server) -> None:
    load = Loader("now")
    await longest_wait(cache, Loader("before"))
    server.freeze()
    with capture_logs() as logs:
        assert await longest_wait(cache, load) < 5
        started = monotonic()
        await longest_wait(cache, load)
        assert monotonic() - started < PAUSE
    assert [line["event"] for line in logs] == ["no answer from the cache"]


async def test_started_again_unnoticed(cache: Cache, server: Server) -> None:
    """Connections that are of no use any more are no outage."""
    await longest_wait(cache, Loader())
    server.stop()
    server.start()
    with capture_logs() as logs:
        await longest_wait(cache, Loader("second"))
    assert logs == []


async def test_change_during_an_outage_counts_after_it(cache: Cache, server: Server) -> None:
    await longest_wait(cache, Loader("old"))
    server.freeze()
    with capture_logs():
        await longest_wait(cache, Loader("unknown yet"))
        server.thaw()
        await cache.forget(ROWS)
        await asyncio.sleep(PAUSE)
        await longest_wait(cache, Loader("new"))


async def test_outage_while_others_wait_for_their_turn(cache: Cache, server: Server) -> None:
    load = Loader(seconds=0.2)
    with capture_logs():
        asked = asyncio.create_task(longest_wait(cache, load))
        await asyncio.sleep(0.1)
        server.stop()
        assert await asked < 5
