"""A project generated from the template, and the commands to run in it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import copier

from plinth.harness.space import Answers

# Folders that tools make; the template renders none of them.
LITTER = {".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", "build"}
# The shortest word that YAML reads as something else, and the longest there is.
SLUGS = ("null", "a" + 49 * "0")
# What a command sees of this test run's own environment would not be there in a user's terminal.
FOREIGN = ("APP_", "PYTEST_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "PYTHONPATH")


def clean_environment(**extra: str) -> dict[str, str]:
    """Return the environment for a command that must not notice that a test runs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    # A tool started by `uv run` has this checkout's environment in front of its PATH.
    own = os.environ.get("VIRTUAL_ENV")
    folders = kept.get("PATH", "").split(os.pathsep)
    kept["PATH"] = os.pathsep.join(f for f in folders if not own or Path(f).parent != Path(own))
    # A project's `.python-version` may name one that this machine does not have.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": version, **extra}


class CommandError(AssertionError):
    """A command in a project failed; the message has all that it printed."""


@dataclass(frozen=True)
class GeneratedProject:
    """A service rendered from the template; make one with `GeneratedProject.render`."""

    path: Path
    answers: Mapping[str, object]
    # What its commands find in their environment besides.
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def render(cls, template: Path, into: Path, answers: Answers) -> "GeneratedProject":
        """Copy the template as `copier copy --defaults` does, without trust.

        Raises ValueError with the template's own sentence where an answer is refused.
        """
        copier.run_copy(
            str(template), into, data={**answers}, defaults=True, unsafe=False, quiet=True
        )
        return cls(into, {**answers})

    def tree(self) -> dict[str, str]:
        """Every file's text by its path, folders separated by `/`, tools' litter left out."""
        paths = (path.relative_to(self.path) for path in self.path.rglob("*"))
        return {
            path.as_posix(): (self.path / path).read_bytes().decode("utf-8")
            for path in sorted(paths)
            if LITTER.isdisjoint(path.parts) and (self.path / path).is_file()
        }

    def run(self, *command: str, timeout: float = 600) -> str:
        """Run a command in the project and return its output; raise CommandError if it fails."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=clean_environment(**self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            line = " ".join(command)
            raise CommandError(
                f"`{line}` ended with {done.returncode} in {self.path}, answers {self.answers}:\n"
                f"{done.stdout}"
            )
        return done.stdout

    def sync(self) -> None:
        """Install what the project declares, as its owner does."""
        self.run("uv", "sync", "--quiet")

    def check(self) -> str:
        """Run the project's own checks: format, lint, types and whatever it adds."""
        return self.run("make", "check")

    def test(self) -> str:
        """Run the project's own tests."""
        return self.run("uv", "run", "pytest")
