"""What an organisation's template consists of: a release of ours, and own files on top.

A file that differs from the release's is an own one. It stays as it is; where it has taken the
place of a file that the next release changed, the assembly stops.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from plinth.changelog import Changelog
from plinth.errors import Exit, StoppedError
from plinth.organisation import questions
from plinth.organisation.repository import FILE, Definition
from plinth.trees import File, Tree
from plinth.update import MOVES, NOTICES

# What a service's update reads and runs, and what the harness needs. The rest of our repository is
# for those who work on it.
TAKEN = re.compile(
    r"(extensions|questions|src|template|tests/machinery)/|"
    r"(\.gitattributes|\.gitignore|LICENSE|copier\.yml|pyproject\.toml)$"
)
# The root's own files of these names are the organisation's.
MOVED = {"copier.yml": questions.OURS, "LICENSE": "upstream/LICENSE"}
CHANGELOG, OWN_CHANGELOG = "CHANGELOG.md", "organisation/CHANGELOG.md"
# Lists to which an organisation adds entries of its own.
JOINED = (MOVES, NOTICES)
GENERATED = {"copier.yml", CHANGELOG, *JOINED}


@dataclass(frozen=True)
class Release:
    """A release of ours, and its files."""

    name: str
    files: Tree

    @property
    def placed(self) -> Tree:
        """Those of its files that an organisation's template has, at their places there."""
        return {
            MOVED.get(path, path): file for path, file in self.files.items() if TAKEN.match(path)
        }


NONE = Release("", {})


def own_files(here: Tree, release: Release) -> Tree:
    """Return the files of a template that are not the release's."""
    ours = release.placed
    return {p: f for p, f in here.items() if p not in GENERATED and ours.get(p) != f}


def shadowing(here: Tree, before: Release, after: Release) -> list[str]:
    """Return the own files in whose place the next release has another file than before.

    A file that the organisation has deleted counts too.
    """
    old, new = before.placed, after.placed
    deleted = [path for path in old if path not in here]
    own = own_files(here, before)
    return sorted(
        path
        for path in {*own, *deleted}
        if old.get(path) != new.get(path) and new.get(path) != own.get(path)
    )


def assemble(here: Tree, before: Release, after: Release, *, adapted: Collection[str] = ()) -> Tree:
    """Return the files of a template upon the next release.

    `adapted` are own files that suit the next release, although they take the place of files that
    it changed. Raises StoppedError where there are others.
    """
    if unknown := {*adapted} - {*shadowing(here, before, after)}:
        raise StoppedError(f"Nothing is to be adapted in {', '.join(sorted(unknown))}.")
    if left := [path for path in shadowing(here, before, after) if path not in adapted]:
        raise StoppedError(_shadows(left, before, after), Exit.CONFLICTS)
    own = own_files(here, before)
    deleted = before.placed.keys() - here.keys()
    kept = {path: file for path, file in after.placed.items() if path not in deleted}
    definition = Definition.read(own[FILE].text)
    text = re.sub(r"(?m)^release *=.*$", f'release = "{after.name}"', own[FILE].text)
    files = {**kept, **own, FILE: File(text.encode())}
    return {**files, **generated(files, after, definition)}


def generated(files: Tree, release: Release, definition: Definition) -> Tree:
    """Return the files that are made of ours and of the organisation's."""
    config = questions.written(
        release.files, files.get(questions.OWN), definition.name, definition.locks
    )
    ours, own = (
        Changelog.read(tree[name].text if name in tree else "# Changelog\n")
        for tree, name in ((release.files, CHANGELOG), (files, OWN_CHANGELOG))
    )
    made = {
        "copier.yml": config,
        CHANGELOG: str(Changelog(ours.head, None, ours.sections).beside(own)),
    }
    for name in JOINED:
        texts = [
            t[p] for t, p in ((release.files, name), (files, f"organisation/{name}")) if p in t
        ]
        if texts:
            made[name] = "\n".join(file.text for file in texts)
    return {path: File(text.encode()) for path, text in made.items()}


def _shadows(paths: Collection[str], before: Release, after: Release) -> str:
    back = {new: old for old, new in MOVED.items()}
    listed = "".join(
        f"  {path}\n    git diff refs/upstream/{before.name} refs/upstream/{after.name} -- "
        f"{back.get(path, path)}\n"
        for path in paths
    )
    options = " ".join(f"--adapted {path}" for path in paths)
    return (
        f"{after.name} changes files in whose place this template has its own:\n{listed}"
        "Nothing has changed. Bring the change into your own files and commit, then run it again "
        f"with: {options}"
    )
