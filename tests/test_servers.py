"""The servers that tests need: looked for at once, or started where a package brings them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from plinth.harness.hints import Hints, Server
from plinth.harness.servers import ServerMissingError, Servers, missing, sentence
from plinth.harness.source import REPOSITORY
from plinth.harness.survey import Survey

NATS = Hints.read(REPOSITORY).servers["nats"]
# Starts the servers, says where, and waits until it is killed.
STARTER = """
import time
from plinth.harness.hints import Hints
from plinth.harness.servers import Servers
from plinth.harness.source import REPOSITORY
hints = Hints(servers={"nats": Hints.read(REPOSITORY).servers["nats"]})
with Servers.opened(hints):
    print(hints.servers["nats"].place[1], flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no variable that tells of servers, and no CI."""
    for name in ("CI", "CHAIR_URL", NATS.variable):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port at which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """Return a port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def server(port: int) -> Server:
    """Return a server that is looked for at a port."""
    return Server("CHAIR_URL", f"chair://user:word@127.0.0.1:{port}/0", "APP_CHAIR_URL")


def test_one_that_answers_is_there(port: int) -> None:
    """Nothing is missing, and nothing is said."""
    assert not missing({"chair": server(port)})
    assert not sentence({})


def test_one_that_does_not_is_missing(closed: int) -> None:
    """The sentence names it, where it was looked for, and the variable."""
    absent = missing({"chair": server(closed)})
    assert [*absent] == ["chair"]
    assert sentence(absent) == (
        f"No server answers for chair at 127.0.0.1:{closed} (CHAIR_URL names another): "
        "what needs it is left out."
    )


def test_one_that_somebody_named_must_be_there(
    port: int, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable decides where to look; without a port in it the usual one is meant."""
    monkeypatch.setenv("CHAIR_URL", f"chair://127.0.0.1:{closed}/0")
    with pytest.raises(ServerMissingError, match=rf"CHAIR_URL names 127\.0\.0\.1:{closed}: no "):
        missing({"chair": server(port)})
    monkeypatch.setenv("CHAIR_URL", "chair://127.0.0.1/0")
    assert not missing({"chair": server(port)})


@pytest.mark.parametrize("value", ["true", "1"])
def test_in_ci_all_must_be_there(closed: int, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer may do without, CI may not."""
    monkeypatch.setenv("CI", value)
    with pytest.raises(ServerMissingError, match="CI runs the tests of chair, and no server"):
        missing({"chair": server(closed)})


def test_an_address_that_swallows_packets_takes_no_time() -> None:
    """All are looked for at the same time, each for less than a second."""
    silent = replace(server(1), url="chair://192.0.2.1:9")
    started = time.monotonic()
    assert len(missing({str(number): silent for number in range(5)})) == 5
    assert time.monotonic() - started < 2


def test_what_is_left_out_is_counted(survey: Survey) -> None:
    """Projects with a part whose server is missing are, by the variable; others are not."""
    servers = Servers({"mysql": server(1)})
    base = survey.space.combination()
    with_mysql = {**base, "database": "mysql", "database_driver": "asyncmy"}
    told = [servers.leave_out(survey.renderer, answers) for answers in (base, with_mysql)]
    assert told == [False, True]
    assert str(servers) == ", 1 left out for want of a server (CHAIR_URL: 1)"
    assert not str(Servers())


def test_nats_is_started() -> None:
    """It answers with JetStream, its variable names it, and afterwards it is gone."""
    with Servers.opened(Hints(servers={"nats": NATS})) as servers:
        assert not servers.absent
        place = NATS.place
        with socket.create_connection(place, 5) as connection:
            assert b'"jetstream":true' in connection.recv(4096)
        assert os.environ[NATS.variable] == f"nats://127.0.0.1:{place[1]}"
    assert NATS.variable not in os.environ
    assert not answers(place[1])


def test_nats_does_not_outlive_the_harness() -> None:
    """Also one that is killed takes it along."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    with process:
        assert process.stdout
        port = int(process.stdout.readline())
        assert answers(port)
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(port)


def test_one_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that ends at once is not waited for without end."""
    monkeypatch.setattr("plinth.harness.servers.SECONDS_TO_START", 1)
    broken = replace(NATS, start=["nats-server", "--no-such-option"])
    with (
        pytest.raises(ServerMissingError, match="nats-server did not start within"),
        Servers.opened(Hints(servers={"nats": broken})),
    ):
        pytest.fail("it is there")


def test_command_says_it(closed: int) -> None:
    """`make servers` ends with one sentence where a server is named that is not there."""
    variables = {**os.environ, "MYSQL_URL": f"mysql+asyncmy://root@127.0.0.1:{closed}/mysql"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.servers"],
        cwd=REPOSITORY,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"MYSQL_URL names 127.0.0.1:{closed}: no server answers.\n"


def answers(port: int) -> bool:
    """Whether something listens at a port."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
