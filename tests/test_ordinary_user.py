"""Everything works for a user who is not root: the demo, a project's tests, updates, servers.

Where the tests themselves run as root, the commands run as another user, with a home of their own.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from plinth.harness.project import clean_environment
from plinth.harness.source import REPOSITORY

# It has a name, which initdb asks for, and owns nothing.
USER = pwd.getpwnam("nobody").pw_uid
TIMEOUT = 1200
IDENTITY = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
HOLD = """
from tools.embedded_nats import nats_server
from tools.embedded_redis import redis_server
with redis_server("dev") as redis, nats_server("dev") as nats:
    print(redis, nats)
"""


@dataclass(frozen=True)
class Person:
    """An ordinary user, and a folder that belongs to them."""

    home: Path
    variables: Mapping[str, str]

    def runs(self, *command: str, folder: str = ".") -> str:
        """Run a command as this user; return what it prints."""
        root = os.geteuid() == 0
        done = subprocess.run(
            command,
            cwd=self.home / folder,
            env=clean_environment(**self.variables),
            user=USER if root else None,
            group=USER if root else None,
            extra_groups=[] if root else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout


def public_python() -> str:
    """Return an interpreter that every user may run."""
    names = [f"/usr/bin/python3.{minor}" for minor in range(14, 10, -1)]
    found = [name for name in (*names, "/usr/local/bin/python3") if Path(name).exists()]
    return sys.executable if os.geteuid() else (found or [sys.executable])[0]


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Return a user with a copy of this checkout."""
    uv = shutil.which("uv")
    assert uv
    with tempfile.TemporaryDirectory(prefix="u", ignore_cleanup_errors=True) as name:
        home = Path(name)
        checkout = home / "plinth"
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listing, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
        for path in files.decode().strip("\0").split("\0"):
            if (REPOSITORY / path).is_file():
                (checkout / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / path, checkout / path)
        (home / "bin").mkdir()
        for tool in {uv, shutil.which("uvx") or uv}:
            shutil.copy2(tool, home / "bin")
        (home / "tmp").mkdir()
        if os.geteuid() == 0:
            for path in (home, *home.rglob("*")):
                os.chown(path, USER, USER)
        variables = {
            **IDENTITY,
            "HOME": name,
            "TMPDIR": str(home / "tmp"),
            "USER": "person",
            "LOGNAME": "person",
            "PATH": f"{name}/bin:/usr/local/bin:/usr/bin:/bin",
            "UV_CACHE_DIR": f"{name}/cache",
            "UV_PYTHON": public_python(),
            "COPIER_SETTINGS_PATH": f"{name}/settings.yml",
        }
        person = Person(home, variables)
        git = ("git", "-c", "user.name=A Person", "-c", "user.email=person@example.com")
        person.runs("git", "init", "--quiet", "--initial-branch=main", folder="plinth")
        person.runs("git", "add", "--all", folder="plinth")
        person.runs(*git, "commit", "--quiet", "--message=A copy", folder="plinth")
        person.runs("git", "tag", "v9.9.9", folder="plinth")
        yield person


@pytest.fixture(scope="module")
def service(person: Person) -> str:
    """Return the folder of the standard service, made by `make demo`."""
    printed = person.runs("make", "demo", folder="plinth")
    assert printed.splitlines()[-1].startswith("demo: "), printed
    return "plinth/build/demo"


def test_demo_leaves_its_data_in_the_project(person: Person, service: str) -> None:
    """The database of development is the user's, and nobody else may enter it."""
    data = person.home / service / ".postgres" / "data"
    assert data.stat().st_uid == (USER if os.geteuid() == 0 else os.getuid())
    assert data.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("nightly")
def test_update(person: Person) -> None:
    """An update switches a part off; it ends with the checks and tests of the standard service."""
    copier = ("uvx", "--quiet", "copier>=9.19")
    person.runs(*copier, "copy", "--defaults", "--quiet", f"{person.home}/plinth", "updated")
    git = ("git", "-c", "user.name=A Person", "-c", "user.email=person@example.com")
    person.runs("git", "init", "--quiet", "--initial-branch=main", folder="updated")
    person.runs("uv", "lock", "--quiet", folder="updated")
    person.runs("git", "add", "--all", folder="updated")
    person.runs(*git, "commit", "--quiet", "--message=Start", folder="updated")
    change = "ARGS=--to current --data pre_commit=false"
    assert " passed" in person.runs("make", "update", change, folder="updated")
    assert not (person.home / "updated" / ".pre-commit-config.yaml").exists()


@pytest.mark.usefixtures("nightly")
def test_embedded_servers(person: Person) -> None:
    """Redis and NATS run as this user."""
    copier = ("uvx", "--quiet", "copier>=9.19")
    data = ("--data", "preset=full", "--data", "broker=nats")
    person.runs(*copier, "copy", "--defaults", "--quiet", *data, f"{person.home}/plinth", "full")
    printed = person.runs("uv", "run", "--quiet", "python", "-c", HOLD, folder="full")
    assert "unix://" in printed
    assert "nats://" in printed
