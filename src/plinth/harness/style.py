"""What ruff says of projects; of what many of them share, once."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

COMMANDS = (("check", "--output-format", "concise"), ("format", "--check"))
# Each project lies in a folder with its number as a name.
PROJECT = re.compile(r"(?<![^\s'\"])\d+/")
UNFORMATTED = "Would reformat: "


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
            [sys.executable, "-m", "ruff", *arguments, "--no-cache", "--quiet", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        if done.returncode and not lines:
            found[f"ruff {arguments[0]} ended with {done.returncode} and says nothing"] = None
        for line in lines if done.returncode else ():
            told = PROJECT.sub("", line)
            if told.startswith(UNFORMATTED):
                told = f"{told.removeprefix(UNFORMATTED)}: not as ruff formats it"
            found[told] = None
    yield from found
