"""Ruff's findings in projects; a finding that several projects share is reported once."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

COMMANDS = (("check",), ("format", "--check"))
QUIETLY = ("--output-format", "concise", "--no-cache", "--quiet")
# Each project is in a folder named by its number.
PROJECT = re.compile(r"(?<![^\s'\"])\d+/")
UNFORMATTED = re.compile(r":\d+:\d+: unformatted: .*")


def findings(trees: Iterable[Mapping[str, str]], folder: Path) -> Iterator[str]:
    """Write projects into a folder and yield what ruff finds, each by the project's own rules."""
    for number, tree in enumerate(trees):
        for path, text in tree.items():
            file = folder / str(number) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
    found: dict[str, None] = {}
    for arguments in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, *QUIETLY, "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        if done.returncode and not lines:
            found[f"ruff {arguments[0]} ended with {done.returncode} and says nothing"] = None
        for line in lines if done.returncode else ():
            told = UNFORMATTED.sub(": not as ruff formats it", PROJECT.sub("", line))
            found[told] = None
    yield from found
