"""The files of a commit, in memory."""

from collections.abc import Collection
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


def paths(folder: Path, commit: str) -> list[str]:
    """Return the paths of a commit's files below a folder, relative to it."""
    listed = git.run(folder, "ls-tree", "-r", "-z", "--name-only", commit)
    return [path for path in listed.decode("utf-8", "surrogateescape").split("\0") if path]


def read(folder: Path, commit: str, wanted: Collection[str] | None = None) -> Tree:
    """Return the files of a commit below a folder, all of them or those wanted."""
    entries: list[tuple[str, str, str]] = []
    for line in git.run(folder, "ls-tree", "-r", "-z", commit).split(b"\0"):
        head, _, path = line.decode("utf-8", "surrogateescape").partition("\t")
        if path and (wanted is None or path in wanted):
            mode, _, blob = head.split()
            if mode != SUBMODULE:
                entries.append((path, mode, blob))
    asked = "".join(f"{blob}\n" for _, _, blob in entries).encode()
    answer = git.run(folder, "cat-file", "--batch", given=asked)
    found: Tree = {}
    position = 0
    for path, mode, _ in entries:
        end = answer.index(b"\n", position)
        size = int(answer[position:end].split()[2])
        found[path] = File(answer[end + 1 : end + 1 + size], mode)
        position = end + size + 2
    return found
