"""What goes wrong at the desk is told in one sentence, never by a traceback.

Each situation has the exact line that a developer reads, `{…}` filled in.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

import pytest

from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.source import REPOSITORY

TIMEOUT = 240
UNREACHABLE = "postgresql+psycopg://user:secret@127.0.0.1:1/app"
REFUSAL = (
    'connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused'
)


@dataclass(frozen=True)
class Situation:
    """A command in a project, what was done before it, and the line that it prints."""

    command: str
    line: str
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    before: str = ""
    after: str = ""
    status: int = 2


SITUATIONS = {
    "uv is not installed": Situation(
        "make run",
        "Makefile:7: *** uv is not installed: "
        "https://docs.astral.sh/uv/getting-started/installation.  Stop.",
        {"PATH": "{tools}"},
    ),
    "the port is taken": Situation(
        "make run PORT={taken}",
        "Port {taken} cannot be used (Address already in use): try `make run PORT=9000`.",
    ),
    "the port is no number": Situation(
        "make run PORT=80a",
        "Port 80a cannot be used (it is no number of a port): try `make run PORT=9000`.",
    ),
    "the database is unreachable at make run": Situation(
        "make run PORT={free}",
        f"The database at {UNREACHABLE.replace('secret', '***')} cannot be reached: {REFUSAL}",
        {"APP_DATABASE_URL": UNREACHABLE},
    ),
    "the database is unreachable at make migrate": Situation(
        "make migrate",
        f"The database at {UNREACHABLE.replace('secret', '***')} cannot be reached: {REFUSAL}",
        {"APP_DATABASE_URL": UNREACHABLE},
    ),
    "no database is named for make migrate": Situation(
        "make migrate",
        "The service cannot start. APP_DATABASE_URL: Field required",
    ),
    "there is nothing to reset": Situation(
        "make reset",
        "There is no database in {data}.",
        before="rm -rf {data}/data",
    ),
    "the file .env is in Latin-1": Situation(
        "make run PORT={free}",
        "The file .env is not in UTF-8: save it in this encoding.",
        before="printf 'APP_LOG_LEVEL=\\351' > .env",
        after="rm .env",
    ),
    "a command is missing": Situation(
        "uv run python -m tools.run no-such-command",
        "There is no command no-such-command: run `uv sync`.",
        status=1,
    ),
    "the models have changed": Situation(
        "uv run python -m tools.run true",
        'The models differ from the migrations: see `make migration m="…"`.',
        before="sed -i.old 's/^    title: Mapped/    colour: Mapped[str]\\n&/'"
        " src/app/items/models.py",
        after="mv src/app/items/models.py.old src/app/items/models.py",
        status=0,
    ),
    "the database is of another branch": Situation(
        "make run PORT={free}",
        "Is the database of another branch? Then `make reset` removes it, unless APP_DATABASE_URL "
        "names one of your own.",
        before="uv run python -m tools.run alembic upgrade head"
        " && uv run python -m tools.run alembic stamp head"
        " && cp -R migrations/versions versions.old"
        " && sed -i.old \"s/^revision: str = .*/revision: str = '0123456789ab'/;"
        "s/^revision = .*/revision = '0123456789ab'/\" migrations/versions/*.py",
        after="rm -r migrations/versions && mv versions.old migrations/versions",
    ),
    "two branches brought a revision each": Situation(
        "make run PORT={free}",
        "Two revisions follow one: `uv run alembic merge heads` joins them.",
        before="uv run alembic revision --head base --splice -m other >/dev/null",
        after="rm migrations/versions/*_other.py",
    ),
    "a secret is missing in production": Situation(
        "make run PORT={free}",
        "The service cannot start. APP_AUTH_SECRET: set a secret of your own.",
        {"APP_ENVIRONMENT": "production"},
    ),
    "the data is of another PostgreSQL": Situation(
        "make run PORT={free}",
        "PostgreSQL does not start, see {log}; `make reset` removes its data: ",
        before="printf '9\\n' > {data}/data/PG_VERSION",
        after="printf '18\\n' > {data}/data/PG_VERSION",
    ),
}
MYSQL = "Set APP_DATABASE_URL, for example in .env, to a MySQL or MariaDB database."


@dataclass(frozen=True)
class Desk:
    """An installed project, and what stands for `{…}` in situations."""

    path: Path
    values: Mapping[str, str]
    variables: Mapping[str, str]

    def run(self, command: str, variables: Mapping[str, str]) -> tuple[int, list[str]]:
        """Run a command until it ends, or prints that it serves or that it cannot start."""
        filled = {name: text.format(**self.values) for name, text in variables.items()}
        process = subprocess.Popen(
            ["/bin/sh", "-c", command.format(**self.values)],
            cwd=self.path,
            env=clean_environment(**{**self.variables, **filled}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        lines = list[str]()
        with process:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                waits = line.startswith("The service cannot start") or "startup complete" in line
                if waits and "make run" in command:
                    # The server with reload waits for a change; other commands end by themselves.
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, 2)
        return process.returncode, lines


@contextmanager
def listening() -> Generator[int]:
    """Yield a port that something listens on."""
    with socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def desk(template: Path) -> Iterator[Desk]:
    """Return an installed standard project; its servers have a folder of their own."""
    # The path of a socket is short, and root runs PostgreSQL as a user who has to enter the folder.
    with tempfile.TemporaryDirectory(prefix="s") as name, listening() as taken:
        folder = Path(name)
        folder.chmod(0o711)
        project = GeneratedProject.render(template, folder / "p", {"preset": "standard"})
        project.run("uv", "sync", "--quiet")
        tools = folder / "tools"
        tools.mkdir()
        for tool in ("make", "sh"):
            (tools / tool).symlink_to(shutil.which(tool) or tool)
        variables = {"TMPDIR": name, "XDG_STATE_HOME": name}
        data = project.run(
            *(
                "env",
                *(f"{key}={value}" for key, value in variables.items()),
                "uv",
                "run",
                "python",
            ),
            *("-c", "from tools.embedded_postgres import *; print(development_directory())"),
        ).strip()
        with socket() as unused:
            unused.bind(("127.0.0.1", 0))
            free = str(unused.getsockname()[1])
        values = {"taken": str(taken), "free": free, "tools": str(tools), "data": data}
        values["log"] = f"{data}/log"
        yield Desk(project.path, values, variables)


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation_is_told_in_a_sentence(desk: Desk, name: str) -> None:
    """The line is there, whole, and no traceback."""
    situation = SITUATIONS[name]
    if situation.before:
        status, lines = desk.run(situation.before, {})
        assert status == 0, lines
    try:
        status, lines = desk.run(situation.command, situation.variables)
    finally:
        if situation.after:
            desk.run(situation.after, {})
    output = "\n".join(lines)
    wanted = situation.line.format(**desk.values)
    found = [line for line in lines if line.startswith(wanted) or line == wanted]
    assert found, output
    assert wanted.endswith(": ") or found == [wanted]
    assert "Traceback" not in output
    assert status == situation.status or "cannot start" in wanted, output


def test_mysql_without_a_server_is_told_in_a_sentence(
    desk: Desk, template: Path, tmp_path: Path
) -> None:
    """There is no embedded MySQL: the sentence says what to set."""
    project = GeneratedProject.render(template, tmp_path / "service", {"database": "mysql"})
    done = subprocess.run(
        [desk.path / ".venv" / "bin" / "python", "-m", "tools.run", "true"],
        cwd=project.path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, f"{MYSQL}\n")


def test_machine_without_uv_and_pip_is_told_in_a_sentence(tmp_path: Path) -> None:
    """`make demo` says what to install."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("make", "sh", "echo"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    (tools / "python3").write_text("#!/bin/sh\necho No module named pip >&2\nexit 1\n", "utf-8")
    (tools / "python3").chmod(0o755)
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    done = subprocess.run(
        ["make", "demo"],
        cwd=tmp_path,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1] == (
        "python3 has no pip: install pip, or uv itself "
        "(https://docs.astral.sh/uv/getting-started/installation)"
    )
