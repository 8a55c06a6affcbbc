"""`make demo` works; what starts and stops the service says clearly when that fails."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from plinth.harness.project import clean_environment
from plinth.harness.source import REPOSITORY
from tools.server import Server, ServerError

SERVE = """
import http.server, sys, time

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready)
while True:
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        if sys.argv[2] == "obedient":
            break
"""


def port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def service(folder: Path, recipe: str) -> Server:
    """Return a stand-in for a service with this recipe for `make run`."""
    folder.mkdir()
    (folder / "serve.py").write_text(SERVE, encoding="utf-8")
    (folder / "Makefile").write_text(f"run:\n\t{recipe}\n", encoding="utf-8")
    return Server(folder, port(), clean_environment())


def serve(character: str) -> str:
    """Return the recipe of a server that does, or does not, stop by Ctrl-C."""
    return f"{sys.executable} serve.py $(PORT) {character}"


def test_demo(tmp_path: Path) -> None:
    """The whole demo passes and ends with its line of figures."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--keep", str(tmp_path / "service")],
        cwd=REPOSITORY,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("demo: ")
    assert (tmp_path / "service" / "README.md").exists()


def test_never_writes_into_a_folder_of_the_user(tmp_path: Path) -> None:
    """`--keep` refuses a folder that exists."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--keep", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert not list(tmp_path.iterdir())


def test_starts_and_stops(tmp_path: Path) -> None:
    """An obedient server is stopped as by Ctrl-C."""
    with service(tmp_path / "service", serve("obedient")) as server:
        assert server.wait_until_ready(seconds=10) < 10


def test_shows_the_log_of_a_start_that_failed(tmp_path: Path) -> None:
    """Why the service ended is in the message."""
    with (
        pytest.raises(ServerError, match=r"(?s)ended by itself.*no such database"),
        service(tmp_path / "service", "echo no such database; exit 3") as server,
    ):
        server.wait_until_ready(seconds=10)


def test_gives_up_waiting(tmp_path: Path) -> None:
    """A service that never answers is not waited for without end, and is stopped."""
    with (
        pytest.raises(ServerError, match="not ready within 1 s"),
        service(tmp_path / "service", "sleep 60") as server,
    ):
        server.wait_until_ready(seconds=1)


def test_tells_of_a_server_that_does_not_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Force is used where Ctrl-C does not help, and that is an error."""
    monkeypatch.setattr("tools.server.SECONDS_TO_STOP", 1)
    folder = tmp_path / "service"
    with (
        pytest.raises(ServerError, match="did not stop"),
        service(folder, serve("stubborn")) as server,
    ):
        server.wait_until_ready(seconds=10)
    listing = subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, text=True, check=True)
    assert f"{folder}" not in listing.stdout
