"""A template of a few files, its releases, and a service that was copied from it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import copier
import pytest

from plinth.harness.command import git, python

if TYPE_CHECKING:
    from subprocess import CompletedProcess

COPIER_YML = """
_subdirectory: template
_skip_if_exists: [migrations/*]
cache: {type: str, choices: [none, redis], default: none}
_exclude: ["{% if cache == 'none' %}/src/app/cache.py{% endif %}"]
"""
ANSWERS = "{{ _copier_answers | to_nice_yaml -}}"
FIRST: Mapping[str, str | None] = {
    "copier.yml": COPIER_YML,
    "template/{{ _copier_conf.answers_file }}.jinja": ANSWERS,
    "template/src/app/__init__.py": '"""The service."""\n',
    "template/src/app/pages.py": (
        '"""Pages."""\n\nLIMIT = 20\nFIRST = 1\n\n\n'
        "def cut(items: list[int], limit: int = LIMIT) -> list[int]:\n"
        '    """Cut."""\n    return items[FIRST - 1 : limit]\n'
    ),
    "template/src/app/cache.py": '"""Cache."""\n\nfrom app.pages import LIMIT\n\nSIZE = LIMIT\n',
    "template/README.md": "# Service\n\nOne.\n\nTwo.\n\nThree.\n",
    "template/migrations/first.py": '"""The first revision."""\n',
    "template/pyproject.toml": '[tool.ruff]\nline-length = 100\n\n[project]\nname = "service"\n',
    "template/.gitignore": "__pycache__\n",
}
NEXT: Mapping[str, str | None] = {
    "template/README.md": "# Service\n\n1.\n\nTwo.\n\nThree.\n",
    "template/src/app/cache.py": None,
}


@dataclass(frozen=True)
class Upstream:
    """The repository of a template."""

    path: Path

    def release(self, tag: str, changes: Mapping[str, str | None]) -> None:
        """Change files, or delete them, and tag that."""
        for name, text in changes.items():
            file = self.path / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", tag)
        git(self.path, "tag", tag)


@dataclass(frozen=True)
class Checkout:
    """A service in a repository of its own."""

    path: Path

    def write(self, name: str, text: str) -> None:
        """Write a file and commit."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        self.commit()

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a file and commit. Raises ValueError where the text is not there."""
        text = self.read(name)
        if old not in text:
            raise ValueError(old)
        self.write(name, text.replace(old, new))

    def read(self, name: str) -> str:
        """Return a file's text, line ends as they are."""
        return (self.path / name).read_bytes().decode()

    def commit(self) -> None:
        """Commit all there is."""
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", "Own work")

    def files(self) -> Mapping[str, bytes]:
        """Return what lies in the folder, Git's own files apart."""
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.path).parts
        }

    def plinth(self, *arguments: str, **variables: str) -> "CompletedProcess[str]":
        """Run the command in the folder of the service."""
        environment = {"COLUMNS": "200", **variables}
        return python("plinth", *arguments, at=self.path, timeout=300, **environment)

    def update(self, *arguments: str, code: int = 0, **variables: str) -> Mapping[str, Any]:
        """Update without checks; return the report. Fails where it ends with another code."""
        done = self.plinth("update", "--no-checks", "--json", *arguments, **variables)
        assert done.returncode == code, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert "Traceback" not in done.stderr
        return report


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """Make a template with one release, v0.1.0."""
    path = tmp_path / "template"
    path.mkdir()
    git(path, "init", "--quiet")
    found = Upstream(path)
    found.release("v0.1.0", FIRST)
    return found


@pytest.fixture
def checkout(upstream: Upstream, tmp_path: Path) -> Checkout:
    """Make a service of release v0.1.0 with the cache, committed."""
    return copied(upstream, tmp_path / "service", cache="redis")


@pytest.fixture
def fleet(upstream: Upstream, tmp_path: Path) -> Checkout:
    """Make a folder with two services of v0.1.0, whose template has v0.2.0 too."""
    for name in ("one", "two"):
        copied(upstream, tmp_path / "fleet" / name, cache="redis")
    upstream.release("v0.2.0", NEXT)
    return Checkout(tmp_path / "fleet")


def copied(upstream: Upstream, path: Path, **answers: str) -> Checkout:
    """Copy the newest release, and commit."""
    copier.run_copy(str(upstream.path), path, {**answers}, defaults=True, quiet=True)
    git(path, "init", "--quiet")
    found = Checkout(path)
    found.commit()
    return found


def pretend(folder: Path, commands: Sequence[str], failing: str = "") -> str:
    """Make commands that do nothing, one of which may fail; return a PATH that finds them."""
    folder.mkdir()
    for name in commands:
        (folder / name).write_text(f'#!/bin/sh\n[ "$1" != "{failing}" ]\n', "utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
