"""Versions of servers: those that projects are promised are those that `make versions` starts."""

import contextlib
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from plinth.harness import versions
from plinth.harness.hints import FOLDERS
from plinth.harness.render import Reading
from plinth.harness.servers import ServerMissingError
from plinth.harness.source import REPOSITORY
from plinth.harness.space import parse
from plinth.harness.survey import Survey
from plinth.harness.versions import Version

VERSIONS = versions.read(REPOSITORY)
RECORD = REPOSITORY / "docs" / "decisions" / "0021-versions-of-servers.md"
IMAGE = re.compile(r"(?m)^    image: (\S+)$")
# No package brings Kafka: tests run on a mock cluster.
WITHOUT_A_SERVER = {"kafka"}


def test_the_images_of_compose_are_among_them() -> None:
    """What a project starts is what its tests ran on."""
    tried = {version.image for version in VERSIONS}
    for folder in FOLDERS:
        for file in sorted((REPOSITORY / folder).glob("*/compose")):
            if file.parent.name not in WITHOUT_A_SERVER:
                assert {*IMAGE.findall(file.read_text("utf-8"))} <= tried, file


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_its_programs_can_be_made(version: Version, survey: Survey) -> None:
    """Their answers go together, and turn the part on; the record names the version."""
    for words in version.programs:
        answers = parse(survey.space, words.split())
        assert Reading(survey.renderer, answers).part(version.part)
        assert "1234" in version.server(1234, answers).url
    product, _, number = version.name.partition(" ")
    assert re.search(rf"\b{product}\b.* {re.escape(number)} ", RECORD.read_text("utf-8"))


def test_it_is_up_when_it_speaks_its_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of an engine accepts connections before there is a server behind it."""
    monkeypatch.setattr(versions, "SECONDS_TO_ANSWER", 0.2)
    redis = next(version for version in VERSIONS if version.hello.startswith("PING"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not versions.replies(redis, port)
        threading.Thread(target=pong, args=[listener], daemon=True).start()
        # The first connection that it accepts may be that of before.
        assert any(versions.replies(redis, port) for _ in range(10))


def nothing(_: Version, port: int) -> contextlib.nullcontext[Callable[[], str]]:
    """Start nothing; its log says so."""
    return contextlib.nullcontext(lambda: f"nothing is at {port}")


def from_a_suite(_: Version) -> str:
    """Say how each is started."""
    return "suite"


def pong(listener: socket.socket) -> None:
    """Answer each connection as Redis does, until the listener is closed."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                client.recv(100)
                client.sendall(b"+PONG\r\n")


def test_one_that_does_not_start_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for without end."""
    monkeypatch.setattr(versions, "SECONDS_TO_START", 0.3)
    monkeypatch.setattr(versions, "from_suite", nothing)
    monkeypatch.setattr(versions, "way", from_a_suite)
    broken = replace(VERSIONS[0], name="Chair 1")
    with (
        pytest.raises(ServerMissingError, match="Chair 1 does not start: nothing is at"),
        versions.running(broken),
    ):
        pytest.fail("it is there")


def test_a_name_that_there_is_not_is_refused() -> None:
    """With a sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.versions", "--match", "Oracle"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "nothing matches 'Oracle'; there is, for example, MariaDB 10.11" in done.stderr
