"""The files of a commit, in memory."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from plinth import git

SUBMODULE = "160000"


@dataclass(frozen=True)
class File:
    """A file, or a symbolic link whose target is its content."""

    content: bytes
    mode: str = "100644"

    @property
    def text(self) -> str:
        """Its content as text; what is not UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def is_binary(self) -> bool:
        """Whether it cannot be merged line by line."""
        return b"\0" in self.content


Tree: TypeAlias = dict[str, File]


def listing(folder: Path, commit: str) -> dict[str, tuple[str, str]]:
    """Return mode and blob of the files of a commit below a folder, by their paths from there."""
    found: dict[str, tuple[str, str]] = {}
    for line in git.run(folder, "ls-tree", "-r", "-z", commit).split(b"\0"):
        head, _, path = line.decode("utf-8", "surrogateescape").partition("\t")
        if path:
            mode, _, blob = head.split()
            if mode != SUBMODULE:
                found[path] = mode, blob
    return found


def read(folder: Path, commit: str) -> Tree:
    """Return the files of a commit below a folder, by their paths relative to it."""
    entries = listing(folder, commit)
    contents = blobs(folder, [blob for _, blob in entries.values()])
    return {
        path: File(content, mode)
        for (path, (mode, _)), content in zip(entries.items(), contents, strict=True)
    }


def of_folder(folder: Path) -> Tree:
    """Return the files of a folder that is no repository."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = File(os.fsencode(path.readlink()), "120000")
        elif path.is_file():
            executable = path.stat().st_mode & 0o100
            found[name] = File(path.read_bytes(), "100755" if executable else "100644")
    return found


def blobs(folder: Path, names: Sequence[str]) -> list[bytes]:
    """Return the contents of blobs of a repository, in the order of their names."""
    asked = "".join(f"{name}\n" for name in names).encode()
    answer = git.run(folder, "cat-file", "--batch", given=asked)
    found: list[bytes] = []
    position = 0
    for _ in names:
        end = answer.index(b"\n", position)
        size = int(answer[position:end].split()[2])
        found.append(answer[end + 1 : end + 1 + size])
        position = end + size + 2
    return found
