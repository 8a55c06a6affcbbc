"""The servers that the tests of parts need: they are looked for before anything else runs.

One that comes as a package is started here. Of the others, what needs one that is absent is left
out and counted, unless its variable is set or this is CI: then a missing server is an error.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from plinth.harness.hints import Hints, Server
from plinth.harness.render import Reading, Renderer
from plinth.harness.space import Answers

# A local server answers immediately; an address that drops packets never does.
SECONDS_TO_ANSWER = 0.8
SECONDS_TO_START = 10
# Stops the server when the pipe is closed, also if this process is killed.
HOLD = '"$@" & cat >/dev/null; kill -s "$0" $!; wait'


class ServerMissingError(Exception):
    """A required server does not answer; the message is one sentence that names it."""


@dataclass(frozen=True)
class Servers:
    """Which servers are missing, by the part that needs them; make one with `Servers.opened`."""

    absent: Mapping[str, Server] = field(default_factory=dict[str, Server])
    left_out: Counter[str] = field(default_factory=Counter[str])
    """How often something was left out, by the variable that names a server."""

    @classmethod
    @contextlib.contextmanager
    def opened(cls, hints: Hints) -> Generator["Servers"]:
        """Look for the servers of all parts, and start those that come as packages.

        Raises ServerMissingError as `missing` does, or where one does not start.
        """
        with contextlib.ExitStack() as stack:
            absent = missing(hints.servers)
            for server in hints.servers.values():
                if server.start and not os.environ.get(server.variable):
                    stack.enter_context(_started(server))
            yield cls(absent)

    def needed(self, renderer: Renderer, answers: Answers) -> list[str]:
        """Return the variables of missing servers that projects with these answers need."""
        reading = Reading(renderer, answers)
        on = (part for part in self.absent if part in renderer.conditions and reading.part(part))
        return [self.absent[part].variable for part in on]

    def leave_out(self, renderer: Renderer, answers: Answers) -> bool:
        """Whether projects with these answers need a server that is missing; count it if so."""
        variables = self.needed(renderer, answers)
        self.left_out.update(variables[:1])
        return bool(variables)

    def __str__(self) -> str:
        """Return the end of a closing line; empty where nothing was left out."""
        counts = ", ".join(f"{variable}: {count}" for variable, count in self.left_out.items())
        total = self.left_out.total()
        return f", {total} left out for want of a server ({counts})" if total else ""


def missing(servers: Mapping[str, Server]) -> dict[str, Server]:
    """Return the servers that do not answer, by part; those that are started here apart.

    Raises ServerMissingError where the variable of one is set, or CI is.
    """
    looked = {
        part: server
        for part, server in servers.items()
        if not server.start or os.environ.get(server.variable)
    }
    with ThreadPoolExecutor(len(looked) or 1) as pool:
        answers = pool.map(_answers, looked.values())
        absent = {part for part, there in zip(looked, answers, strict=True) if not there}
    for part in sorted(absent):
        server = looked[part]
        if os.environ.get(server.variable):
            host, port = server.place
            raise ServerMissingError(f"{server.variable} names {host}:{port}: no server answers.")
        if os.environ.get("CI", "false").lower() not in {"", "0", "false"}:
            host, port = server.place
            raise ServerMissingError(
                f"CI runs the tests of {part}, and no server answers at {host}:{port}: "
                f"start one, or name it by {server.variable}."
            )
    return {part: looked[part] for part in looked if part in absent}


def sentence(absent: Mapping[str, Server]) -> str:
    """Return a sentence about the servers that are missing; empty where none is."""
    told = [
        f"{part} at {':'.join(map(str, server.place))} ({server.variable} names another)"
        for part, server in absent.items()
    ]
    return f"No server answers for {', '.join(told)}: what needs it is left out." if told else ""


def _answers(server: Server) -> bool:
    try:
        socket.create_connection(server.place, SECONDS_TO_ANSWER).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _started(server: Server) -> Generator[None]:
    """Run a server that comes as a package, and set its variable to the address."""
    with tempfile.TemporaryDirectory() as folder:
        url = urlsplit(server.url)
        port = free_port()
        words = [word.format(port=port, folder=folder) for word in server.start]
        with held([str(Path(sys.executable).with_name(words[0])), *words[1:]], folder):
            os.environ[server.variable] = url._replace(netloc=f"127.0.0.1:{port}").geturl()
            try:
                _wait_for(server)
                yield
            finally:
                del os.environ[server.variable]


@contextlib.contextmanager
def held(command: Sequence[str], folder: str, ending: str = "TERM") -> Generator[None]:
    """Run a command until the context is left or this process ends; its log is in the folder."""
    with Path(folder, "log.txt").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", HOLD, ending, *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C would stop the shell only, and leave the server
        )
        try:
            yield
        finally:
            process.communicate()


def _wait_for(server: Server) -> None:
    for _ in _attempts():
        if _answers(server):
            return
    raise ServerMissingError(f"{server.start[0]} did not start within {SECONDS_TO_START} seconds.")


def _attempts() -> Iterator[None]:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
