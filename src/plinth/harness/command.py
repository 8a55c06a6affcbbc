"""Copier, Git and pytest as people run them: commands of their own."""

import subprocess
import sys
from pathlib import Path

from plinth.harness.project import clean_environment
from plinth.harness.warm import Warm

COPIER = (sys.executable, "-m", "copier")


def copier(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `copier` without a terminal and return what it printed and how it ended."""
    return python("copier", *arguments, at=Path.cwd(), timeout=120)


def python(
    module: str, *arguments: str, at: Path, timeout: float, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE` without a terminal and return what it printed and how it ended."""
    return Warm.shared().run(
        module, *arguments, at=at, variables=clean_environment(**variables), timeout=timeout
    )


def pytest(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a checkout of this repository and return what was printed and how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", *arguments],
        cwd=checkout,
        env=clean_environment(PYTHONPATH=str(checkout / "src")),  # the package of that checkout
        capture_output=True,
        text=True,
        check=False,
    )


def git(at: Path, *arguments: str) -> str:
    """Run Git and return what it prints. Raises subprocess.CalledProcessError where it fails."""
    return subprocess.run(
        ["git", *arguments], cwd=at, check=True, capture_output=True, text=True
    ).stdout.strip()
