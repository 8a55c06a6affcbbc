"""Copier as people run it: a command of its own."""

import subprocess
import sys

from tests.harness.project import clean_environment

COPIER = (sys.executable, "-m", "copier")


def copier(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `copier` without a terminal and return what it printed and how it ended."""
    return subprocess.run(
        [*COPIER, *arguments],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
