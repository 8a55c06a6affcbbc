"""The example of the docs, released upon this checkout's template, and services made from it."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import copier
import pytest

from plinth.harness.command import git, python
from plinth.harness.releases import CURRENT
from plinth.harness.source import REPOSITORY

if TYPE_CHECKING:
    from subprocess import CompletedProcess

EXAMPLE = REPOSITORY / "docs" / "platform-teams" / "example"
# There is no such host: where services are installed, packages come from the public index.
INDEX, PUBLIC = "https://packages.acme.example/simple", "https://pypi.org/simple"


@dataclass(frozen=True)
class Organisation:
    """The repository of an organisation's template."""

    path: Path

    def plinth(self, *arguments: str, code: int = 0) -> Mapping[str, Any]:
        """Run `plinth organisation` in its folder and return the report."""
        done = run("organisation", *arguments, "--json", at=self.path)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)

    def commit(self, changes: Mapping[str, str] | None = None) -> None:
        """Write files and commit all there is."""
        for name, text in (changes or {}).items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text, "utf-8")
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", "Own work")

    def read(self, name: str) -> str:
        """Return a file's text."""
        return (self.path / name).read_text("utf-8")

    def news(self, line: str) -> None:
        """Say what the next own release brings, and commit."""
        name = "organisation/CHANGELOG.md"
        text = self.read(name).replace("## [Unreleased]\n", f"## [Unreleased]\n\n- {line}\n", 1)
        self.commit({name: text})


def run(
    *arguments: str, at: Path, timeout: float = 600, **variables: str
) -> "CompletedProcess[str]":
    """Run `plinth` in a folder."""
    return python("plinth", *arguments, at=at, timeout=timeout, COLUMNS="200", **variables)


def started(upstream: Path, path: Path, release: str) -> Organisation:
    """Start the template of an organisation."""
    options = ("--name", "Acme", "--upstream", str(upstream), "--release", release)
    done = run("organisation", "init", str(path), *options, at=path.parent)
    assert done.returncode == 0, done.stderr
    return Organisation(path)


def with_example(organisation: Organisation) -> Organisation:
    """Lay the example of the docs over a template that was started, as its reader does."""
    definition = organisation.read("organisation.toml")
    shutil.copytree(EXAMPLE, organisation.path, dirs_exist_ok=True)
    locks = organisation.read("organisation.toml").partition("[locks]\n")[2]
    index = organisation.read("organisation/acme/tool").replace(INDEX, PUBLIC)
    organisation.commit({"organisation.toml": definition + locks, "organisation/acme/tool": index})
    return organisation


@pytest.fixture(scope="session")
def acme(releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Return the example, released upon this checkout; tests do not change it."""
    folder = tmp_path_factory.mktemp("acme")
    organisation = with_example(started(releases, folder / "template", CURRENT))
    organisation.plinth("upgrade", "--to", CURRENT)
    return organisation


@pytest.fixture
def organisation(acme: Organisation, tmp_path: Path) -> Organisation:
    """Return a copy of the example, with its history."""
    shutil.copytree(acme.path, tmp_path / "template")
    return Organisation(tmp_path / "template")


def service(template: Path, path: Path, release: str = "", **answers: str) -> Path:
    """Copy a service and commit it."""
    copier.run_copy(
        str(template), path, {**answers}, vcs_ref=release or None, defaults=True, quiet=True
    )
    git(path, "init", "--quiet")
    commit(path)
    return path


def commit(path: Path) -> None:
    """Commit all there is."""
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "Work")
