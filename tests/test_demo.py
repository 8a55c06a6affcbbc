"""`make demo` works; what starts and stops the service says clearly when that fails."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from plinth.harness.command import copier
from plinth.harness.project import clean_environment
from plinth.harness.source import REPOSITORY
from tools import demo
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


def test_next_commands_work_without_a_uv_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A uv that the Makefile has installed is put on the PATH first."""
    checkout = tmp_path / "the checkout"
    own = checkout / ".tools" / "bin"
    own.mkdir(parents=True)
    monkeypatch.setattr(demo, "REPOSITORY", checkout)
    found = tmp_path / "uvx"

    def which(_name: str) -> str:
        return str(found)

    monkeypatch.setattr(shutil, "which", which)
    make = [f"uvx copier copy '{checkout}' my-service", "cd my-service", "make run"]
    assert demo.next_commands() == make
    found = own / "uvx"
    path, *others = demo.next_commands()
    assert others == make
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{path}\necho $PATH"],
        env={"PATH": "/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{own}:/bin\n"


@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_closing_message_starts_with_make_run(
    template: Path, tmp_path: Path, database: str
) -> None:
    """Then come the commands that keep it, in the branch that its CI watches."""
    folder = tmp_path / "my service"
    done = copier("copy", "--defaults", "-d", f"database={database}", str(template), str(folder))
    _, message = done.stderr.split("Start it:")
    commands = [line.strip() for line in message.splitlines() if line.startswith("  ")]
    assert commands[0] == f"cd '{folder}'"
    assert next(line for line in commands[1:] if not line.startswith("#")) == "make run"
    assert ("# Set APP_DATABASE_URL" in message) == (database == "mysql")
    start = next(line for line in commands if line.startswith("git init"))
    git_init = start.partition(" && ")[0]
    variables = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "init.defaultBranch"}
    subprocess.run(
        git_init.split(),
        cwd=folder,
        env=clean_environment(**variables, GIT_CONFIG_VALUE_0="master"),
        check=True,
    )
    head = (folder / ".git" / "HEAD").read_text(encoding="utf-8").strip()
    workflow = (folder / ".github" / "workflows" / "ci.yaml").read_text(encoding="utf-8")
    assert f"branches: [{head.rpartition('/')[2]}]" in workflow


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
