"""Results are remembered by content, so that nothing runs twice: `build/results/*.jsonl`."""

import fcntl
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plinth.harness.source import REPOSITORY

RESULTS = REPOSITORY / "build" / "results"
HARNESS = Path(__file__).parent
# Set by `--forget`, also for the processes that tests start.
FORGET = "PLINTH_FORGET"
# Entries of old contents serve no run any more; beyond so many the oldest go.
MOST = 200_000


class Journal:
    """A file with a line of JSON per entry, written immediately; an incomplete line is ignored.

    Several processes may write to it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text("utf-8") if file.exists() else ""
        self.entries: Sequence[dict[str, Any]] = [*_complete(text)]
        """Those of earlier runs."""

    def add(self, entry: Mapping[str, object]) -> None:
        """Write one more."""
        with self._file.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(f"{json.dumps(entry)}\n".encode())


class Memory:
    """Results, each by a key that covers everything it depends on.

    Programs, updates and installs keep only what passed; mutants also keep what survived.
    """

    def __init__(self, file: Path, *, forget: bool = False) -> None:
        self._file = file
        self._journal = Journal(file)
        self._known: dict[str, Mapping[str, Any]] = {}
        for entry in () if forget else self._journal.entries:
            self._known[entry["key"]] = entry
        if len(self._journal.entries) > MOST:
            self._shorten()

    @classmethod
    def of(cls, name: str) -> "Memory":
        """Return the memory of one kind of result; empty with `--forget`."""
        return cls(RESULTS / f"{name}.jsonl", forget=bool(os.environ.get(FORGET)))

    def __contains__(self, key: object) -> bool:
        """Whether its result is known."""
        return key in self._known

    def recall(self, key: str) -> Mapping[str, Any]:
        """Return what was kept of it."""
        return self._known[key]

    def add(self, key: str, **about: object) -> None:
        """Keep a result; it is written immediately."""
        entry = {"key": key, **about}
        self._journal.add(entry)
        self._known[key] = entry

    def _shorten(self) -> None:
        kept = self._journal.entries[-MOST // 2 :]
        new = self._file.with_suffix(".new")
        new.write_text("".join(f"{json.dumps(entry)}\n" for entry in kept), "utf-8")
        new.replace(self._file)


def forget() -> None:
    """Have every memory that is opened from now on empty, in processes started by this one too."""
    os.environ[FORGET] = "1"


def digest(*content: object) -> str:
    """Return a key for content that JSON can tell."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.cache
def text_digest(path: str, text: str) -> str:
    """Return a key for a file; most are the same in many programs."""
    return hashlib.sha256(f"{path}\0{text}".encode()).hexdigest()


def code(*files: Path) -> str:
    """Return what tells this version of some files, or folders of Python, from another."""
    found = hashlib.sha256()
    for given in files:
        for file in sorted(given.rglob("*.py")) if given.is_dir() else [given]:
            found.update(f"{file.name}\n".encode() + file.read_bytes())
    return found.hexdigest()


def _complete(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue  # cut off by a kill
