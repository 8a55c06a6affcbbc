"""Git, as the commands use it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from plinth.errors import StoppedError

# A hook or a caller inside of Git sets these; they would lead to another repository.
FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")


def environment() -> dict[str, str]:
    """Return the user's environment, without what would lead Git or uv elsewhere."""
    unwanted = (*FOREIGN, "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def run(
    at: Path, *arguments: str, given: bytes = b"", variables: Mapping[str, str] | None = None
) -> bytes:
    """Run Git and return what it prints. Raises StoppedError with what Git says."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=at,
        env={**environment(), **(variables or {})},
        input=given,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"git {arguments[0]} failed"
        raise StoppedError(f"Git: {said}")
    return done.stdout


def changes(at: Path, *paths: str) -> str:
    """Return what is not committed, each on a line of its own, at most ten; empty for nothing."""
    changed = text(at, "status", "--porcelain", "--", *paths)
    return "".join(f"\n  {line}" for line in changed.splitlines()[:10])


def text(at: Path, *arguments: str) -> str:
    """Run Git and return what it prints, as text."""
    return run(at, *arguments).decode("utf-8", "replace").strip()
