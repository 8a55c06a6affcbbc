"""What is to be written into a service, kept until all of it is.

A process that is killed meanwhile leaves the journal; the next call finishes what it says.
"""

import contextlib
import json
import os
import signal
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from plinth import git, trees
from plinth.merge import Conflict, Merge
from plinth.service import Service
from plinth.trees import File

NAME = "plinth-update.json"
NO_BLOB = "0" * 40


@dataclass
class Journal:
    """An update under way."""

    before: str
    after: str
    files: Mapping[str, tuple[str, str] | None]
    """Mode and blob of each file that is written; None for one that is deleted."""
    stages: Mapping[str, Sequence[tuple[str, str] | None]]
    """Mode and blob of the base, of ours and of theirs, for each file with conflicts."""
    written: bool = False

    @classmethod
    def of(cls, service: Service, merge: Merge, before: str, after: str) -> "Journal":
        """Store the content of all files in the service's repository, and note where it goes."""

        def store(file: File | None) -> tuple[str, str] | None:
            if file is None:
                return None
            blob = git.run(
                service.folder, "hash-object", "-w", "--stdin", "--no-filters", given=file.content
            )
            return file.mode, blob.decode().strip()

        def sides(conflict: Conflict) -> Sequence[tuple[str, str] | None]:
            return [store(side) for side in (conflict.base, conflict.ours, conflict.theirs)]

        return cls(
            before,
            after,
            {
                **dict.fromkeys(sorted(merge.gone)),
                **{p: store(f) for p, f in merge.changed.items()},
            },
            {path: sides(conflict) for path, conflict in merge.conflicts.items()},
        )

    @classmethod
    def found(cls, service: Service) -> "Journal | None":
        """Return the journal of an update that was not finished."""
        file = service.git_path(NAME)
        return cls(**json.loads(file.read_text("utf-8"))) if file.is_file() else None

    def save(self, service: Service) -> None:
        """Write the journal, all of it or nothing."""
        _replace(service.git_path(NAME), json.dumps(asdict(self)).encode())

    def forget(self, service: Service) -> None:
        """Delete the journal: the update is finished."""
        service.git_path(NAME).unlink(missing_ok=True)

    def write(self, service: Service) -> None:
        """Write the files and stage them, those with conflicts as Git does. Can be repeated."""
        self.save(service)
        with _undisturbed():
            for path in (path for path, entry in self.files.items() if entry is None):
                file = service.folder / path
                file.unlink(missing_ok=True)
                _remove_empty(file.parent, service.folder)
            new = {path: entry for path, entry in self.files.items() if entry}
            contents = trees.blobs(service.folder, [blob for _, blob in new.values()])
            for (path, (mode, _)), content in zip(new.items(), contents, strict=True):
                file = service.folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                _replace(file, content)
                file.chmod(0o755 if mode == "100755" else 0o644)
            self.stage(service)
            self.written = True
            self.save(service)

    def stage(self, service: Service, variables: Mapping[str, str] | None = None) -> None:
        """Write the files into Git's index, or into the one that a variable names."""
        prefix = git.text(service.folder, "rev-parse", "--show-prefix")
        lines: list[str] = []
        for path, entry in self.files.items():
            place = f"{prefix}{path}"
            if path in self.stages or entry is None:
                lines.append(f"0 {NO_BLOB} 0\t{place}")
                sides = enumerate(self.stages.get(path, ()), 1)
                lines += [f"{s[0]} {s[1]} {stage}\t{place}" for stage, s in sides if s]
            else:
                lines.append(f"{entry[0]} {entry[1]} 0\t{place}")
        given = "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
        git.run(
            service.folder, "update-index", "-z", "--index-info", given=given, variables=variables
        )


def _replace(file: Path, content: bytes) -> None:
    """Write a file, all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "wb") as writer:
        writer.write(content)
    Path(name).replace(file)


def _remove_empty(folder: Path, above: Path) -> None:
    """Remove a folder without files, and those above that are empty then."""
    while folder != above and folder.is_dir():
        for litter in folder.glob("__pycache__/*.pyc"):
            litter.unlink()
        with contextlib.suppress(OSError):
            (folder / "__pycache__").rmdir()
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


@contextlib.contextmanager
def _undisturbed() -> Generator[None]:
    """Let Ctrl-C wait: it takes milliseconds."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
