"""One process at a time."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusively(file: Path) -> Generator[None]:
    """Wait until no other process holds this lock, then hold it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # until it is closed
        yield
