"""Merge what a release changes into a service that was edited since.

A file that only one side changed is taken from that side. A file that both changed is merged by
Git, line by line.
"""

import difflib
import subprocess
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from plinth import git
from plinth.errors import StoppedError
from plinth.trees import File, Tree

# A file counts as moved where so much of it is the same.
ALIKE = 0.6
FAILED = 128


@dataclass(frozen=True)
class Conflict:
    """A file that is changed on both sides, in the same lines or not line by line."""

    base: File | None
    ours: File
    theirs: File


@dataclass
class Merge:
    """What an update does to a service. Paths are relative to the service's folder."""

    changed: dict[str, File] = field(default_factory=dict[str, File])
    """New and changed files, those with conflicts too, with what they become."""
    deleted: list[str] = field(default_factory=list[str])
    """Files that the release no longer has, and that were not edited here."""
    conflicts: dict[str, Conflict] = field(default_factory=dict[str, Conflict])
    goes: list[str] = field(default_factory=list[str])
    """Files that the release no longer has, although they were edited here."""
    kept: list[str] = field(default_factory=list[str])
    """Files that stay because the user said so."""
    carried: dict[str, str] = field(default_factory=dict[str, str])
    """Places whose edits went to another place."""
    dropped: list[str] = field(default_factory=list[str])
    """Files that the release changed and that were deleted here: they stay deleted."""

    @property
    def gone(self) -> set[str]:
        """Places at which there is no file afterwards: of deleted and of moved files."""
        return {*self.deleted, *(old for old in self.carried if old not in self.changed)}

    def apply(self, tree: Tree) -> Tree:
        """Return the files of a service after the update."""
        gone = self.gone
        return {p: file for p, file in tree.items() if p not in gone} | self.changed


def merge(
    original: Tree,
    service: Tree,
    release: Tree,
    *,
    moves: Mapping[str, str] | None = None,
    keep: Collection[str] = (),
) -> Merge:
    """Merge a release into a service; `original` is what the service was rendered as.

    `moves` are the new places of files that the release has renamed.
    """
    return _Merger(original, service, release).merge(moves or {}, keep)


class _Merger:
    def __init__(self, original: Tree, service: Tree, release: Tree) -> None:
        self.found = Merge()
        self.base = {**original}
        self.ours = {**service}
        self.theirs = release
        self.service = service

    def merge(self, moves: Mapping[str, str], keep: Collection[str]) -> Merge:
        for old, new in moves.items():
            self._move(old, new)
        for path in sorted({*self.base, *self.theirs}):
            if path in keep and path in self.ours:
                self.found.kept.append(path)
            else:
                self._decide(path)
        return self.found

    def _move(self, old: str, new: str) -> None:
        """Have both sides of the service at the new place, so that edits meet what they edited."""
        if not (old in self.base and old in self.ours) or old in self.theirs or new in self.ours:
            return
        if self.ours[old] == self.base[old]:
            self.found.deleted.append(old)
        else:
            self.found.carried[old] = new
        self.base[new], self.ours[new] = self.base.pop(old), self.ours.pop(old)

    def _decide(self, path: str) -> None:
        before, mine, theirs = (tree.get(path) for tree in (self.base, self.ours, self.theirs))
        if theirs in {before, mine}:
            if mine is not None and path not in self.service:
                self.found.changed[path] = mine  # moved there, and not changed by the release
        elif mine == before:
            if theirs is None:
                self.found.deleted.append(path)
            else:
                self.found.changed[path] = theirs
        elif theirs is None:
            self.found.goes.append(path)
        elif mine is not None:
            self._combine(path, before, mine, theirs)
        elif place := moved_to(path, before, self._own_files()):
            self.found.carried[path] = place
            self._combine(place, before, self.ours[place], theirs)
        else:
            self.found.dropped.append(path)

    def _own_files(self) -> Tree:
        return {path: file for path, file in self.ours.items() if path not in self.base}

    def _combine(self, path: str, before: File | None, mine: File, theirs: File) -> None:
        merged, clean = merge_file(before, mine, theirs)
        if merged != mine or not clean or path not in self.service:
            self.found.changed[path] = merged
        if not clean:
            self.found.conflicts[path] = Conflict(before, mine, theirs)


def moved_to(path: str, before: File | None, candidates: Tree) -> str | None:
    """Return the path of the file that is most like a former one; None if none is alike."""
    if before is None or before.is_binary:
        return None
    lines = before.text.splitlines()
    best, place = ALIKE, None
    for other, file in candidates.items():
        if PurePosixPath(other).suffix != PurePosixPath(path).suffix or file.is_binary:
            continue
        matcher = difflib.SequenceMatcher(None, lines, file.text.splitlines(), autojunk=False)
        if matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, place = ratio, other
    return place


def merge_file(before: File | None, mine: File, theirs: File) -> tuple[File, bool]:
    """Merge a file line by line; return it, and whether there are no conflicts.

    Line ends stay as they are in `mine`. A file that is not text stays as it is in `mine`.
    """
    base = before or File(b"", mine.mode)
    mode = theirs.mode if theirs.mode != base.mode else mine.mode
    if any(file.is_binary for file in (base, mine, theirs)):
        return mine, False
    texts = [file.content for file in (mine, base, theirs)]
    if b"\r\n" in mine.content:
        texts = [text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(("mine", "base", "theirs"), texts, strict=True):
            (Path(folder) / name).write_bytes(text)
        names = ("-L", "this service", "-L", "before", "-L", "the template's release")
        done = subprocess.run(
            ["git", "merge-file", "-p", *names, "mine", "base", "theirs"],
            cwd=folder,
            env=git.environment(),
            capture_output=True,
            check=False,
        )
    if done.returncode >= FAILED:
        raise StoppedError(f"Git cannot merge: {done.stderr.decode('utf-8', 'replace').strip()}")
    return File(done.stdout, mode), done.returncode == 0


def lost(original: Tree, service: Tree, after: Tree, carried: Mapping[str, str]) -> list[str]:
    """Return the files of which a line that was written in the service is nowhere afterwards."""
    found: list[str] = []
    from_where = {new: old for old, new in carried.items()}
    for path, mine in service.items():
        before = original.get(path) or original.get(from_where.get(path, ""))
        if mine == before or mine.is_binary:
            continue
        left = after.get(path) or after.get(carried.get(path, ""))
        written = _lines(mine) - _lines(before)
        if left is None or written - _lines(left):
            found.append(path)
    return found


def _lines(file: File | None) -> Counter[bytes]:
    lines: Iterable[bytes] = file.content.splitlines() if file else ()
    return Counter(line.strip() for line in lines if line.strip())
