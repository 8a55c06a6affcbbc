"""Bring a template's release into a service, so that nothing is lost.

All is merged in memory first. Where the merge would take something away that was written in the
service, or that its code imports, nothing is written at all.
"""

import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TextIO, TypeAlias, TypedDict, cast

from plinth import git, imports, style, trees
from plinth.errors import Exit, StoppedError
from plinth.journal import Journal
from plinth.merge import Merge, lost, merge
from plinth.service import Service
from plinth.template import Render, Template, version
from plinth.trees import Tree

Renders: TypeAlias = tuple[Render, Render]
"""What the service's release renders for it, and what the next one does."""

MOVES, NOTICES = "moves.toml", "notices.toml"
MARKER = re.compile(rb"^<{7} ", re.MULTILINE)
CHECKS = (("uv", "lock"), ("make", "check"), ("make", "test"))


@dataclass(frozen=True)
class Wish:
    """What a user asks for."""

    to: str = ""
    """A release, tag, branch or commit of the template; the newest release if empty."""
    data: Mapping[str, str] = field(default_factory=dict[str, str])
    """Answers to change."""
    keep: Sequence[str] = ()
    """Files that stay as they are."""


class Notice(TypedDict):
    """What a release has to tell; an entry of notices.toml."""

    version: str
    text: str
    when: NotRequired[dict[str, object | list[object]]]
    """Answers for which it counts."""
    settings: NotRequired[list[str]]
    """Variables that the service no longer reads."""


@dataclass
class Plan:
    """What an update would do, and what there is to know about it."""

    before: str
    after: str
    merge: Merge
    changes: str = ""
    """The template's changelog since the service's release."""
    notices: list[str] = field(default_factory=list[str])
    """What to know before the service is deployed."""
    answers: dict[str, tuple[object, object]] = field(
        default_factory=dict[str, tuple[object, object]]
    )
    """Answers that change, from what to what; None is a question that there is not."""
    broken: list[imports.Broken] = field(default_factory=list[imports.Broken])
    """Imports of the service that would no longer find their module."""
    renamed: list[imports.Broken] = field(default_factory=list[imports.Broken])
    """Imports that would no longer find a name in a module that stays."""
    lost: list[str] = field(default_factory=list[str])
    """Files of which lines that were written in the service would be gone."""
    keep: list[str] = field(default_factory=list[str])
    """Files to keep, so that nothing is lost and all imports are found."""

    @property
    def loses(self) -> bool:
        """Whether the update would take something away."""
        return bool(self.lost or self.broken)

    @property
    def losses(self) -> list[str]:
        """What it would take away: files, and imports with the file that they need."""
        return [*self.lost, *(f"{edge} ({edge.path})" for edge in self.broken)]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to update."""
        return not (self.merge.changed or self.merge.deleted or self.loses)


def plan(service: Service, wish: Wish) -> Plan:
    """Work out what an update would do; nothing in the service changes.

    Raises StoppedError where the template or its release is not there, or refuses an answer.
    """
    if () != version(wish.to) < version(service.release):
        raise StoppedError(f"{wish.to} is older than {service.release}: there is no way back.")
    with tempfile.TemporaryDirectory(prefix="plinth-") as scratch:
        template = Template.cloned(service, Path(scratch) / "template.git")
        renders = template.render(service, Path(scratch) / "rendered", to=wish.to, data=wish.data)
        return planned(service, wish, template, renders)


def planned(
    service: Service,
    wish: Wish,
    template: Template,
    renders: Renders,
    commit: str = "HEAD",
) -> Plan:
    """Work out what an update of a commit would do, from what two releases render.

    Raises StoppedError where a recorded answer would change.
    """
    original, release = renders
    answers = _changed_answers(original, release)
    _refuse_silent_changes(answers, wish)
    between = (original.release, release.release)
    moves = {str(m["from"]): str(m["to"]) for m in template.entries(MOVES, "move", *between)}
    found = _compare(service, wish, renders, moves, commit)
    found.answers = answers
    found.changes = template.changes(*between)
    for entry in template.entries(NOTICES, "notice", *between):
        found.notices += notices(cast("Notice", entry), release.answers, service.folder)
    return found


def _compare(
    service: Service,
    wish: Wish,
    renders: Renders,
    moves: Mapping[str, str],
    commit: str,
) -> Plan:
    """Merge in memory, and look for what that would take away."""
    original, release = renders
    tree = trees.read(service.folder, commit)
    base, theirs, told = _in_the_style_of(tree, original.files, release.files)
    merged = merge(base, tree, theirs, moves=moves, keep=wish.keep)
    name = service.answers_file
    if release.answers_file != tree.get(name):
        merged.changed[name] = release.answers_file
    after = merged.apply({path: file for path, file in tree.items() if path not in merged.goes})
    edges = imports.broken(tree, after, merged.conflicts)
    gone = {*merged.goes, *lost(base, tree, after, merged.carried)} - {name}
    broken = [edge for edge in edges if not edge.name]
    found = Plan(
        original.release,
        release.release,
        merged,
        notices=told,
        broken=broken,
        renamed=[edge for edge in edges if edge.name],
        lost=sorted(gone),
    )
    if found.loses:
        kept = {*wish.keep, *gone, *(edge.path for edge in broken)}
        found.keep = imports.needed(tree, after, kept)
    return found


def _in_the_style_of(service: Tree, before: Tree, after: Tree) -> tuple[Tree, Tree, list[str]]:
    """Return both renders in the service's own format, so that only content is merged."""
    if not style.differs(before, service):
        return before, after, []
    old, new = style.formatted(before, service), style.formatted(after, service)
    if old is None or new is None:
        return before, after, ["Ruff cannot run with this service's settings: expect conflicts."]
    return old, new, []


def notices(notice: Notice, answers: Mapping[str, object], folder: Path) -> list[str]:
    """Return what a release has to tell a service with these answers."""
    for name, wanted in notice.get("when", {}).items():
        if answers.get(name) not in (wanted if isinstance(wanted, list) else [wanted]):
            return []
    told = [f"{notice['version']}: {' '.join(notice['text'].split())}"]
    for file in sorted(path for path in folder.glob(".env*") if path.is_file()):
        text = file.read_text("utf-8", errors="replace")
        told += [
            f"{notice['version']}: {file.name} sets {setting}, which is gone."
            for setting in notice.get("settings", [])
            if re.search(rf"(?m)^\s*(export\s+)?{re.escape(setting)}\s*=", text)
        ]
    return told


def _changed_answers(original: Render, release: Render) -> dict[str, tuple[object, object]]:
    names = {*original.answers, *release.answers}
    return {
        name: (original.answers.get(name), release.answers.get(name))
        for name in sorted(names)
        if name[:1] != "_" and original.answers.get(name) != release.answers.get(name)
    }


def _refuse_silent_changes(changed: Mapping[str, tuple[object, object]], wish: Wish) -> None:
    """Raise StoppedError where a recorded answer changes although nobody has asked for it."""
    unasked = {
        name: (before, after)
        for name, (before, after) in changed.items()
        if before is not None and after is not None and name not in wish.data
    }
    if unasked:
        told = "".join(
            f"{name} would change from {before} to {after}: {before} is no longer allowed with "
            "these answers.\n"
            for name, (before, after) in unasked.items()
        )
        words = (("--data", f"{name}={after}") for name, (_, after) in unasked.items())
        options = shlex.join(word for pair in words for word in pair)
        raise StoppedError(f"{told}If you want that, say so: {options}", Exit.WOULD_LOSE_WORK)


def write(service: Service, found: Plan) -> Journal:
    """Write an update into the service and stage it."""
    journal = Journal.of(service, found.merge, found.before, found.after)
    journal.write(service)
    return journal


def unresolved(service: Service, journal: Journal) -> list[str]:
    """Return the files in which there are conflicts still."""
    found: list[str] = []
    for path in journal.stages:
        file = service.folder / path
        if file.is_file() and MARKER.search(file.read_bytes()):
            found.append(path)
    return found


def run(service: Service, command: Sequence[str], output: TextIO) -> bool:
    """Run a command of the project, and return whether it passed."""
    output.write(f"$ {shlex.join(command)}\n")
    output.flush()
    try:
        done = subprocess.run(
            command, cwd=service.folder, env=git.environment(), check=False, stdout=output
        )
    except FileNotFoundError:
        return False
    return not done.returncode


def check(service: Service, output: TextIO) -> str:
    """Lock the dependencies, run the checks and tests; return the command that failed, or ""."""
    for command in CHECKS:
        if not run(service, command, output):
            return shlex.join(command)
        if command == CHECKS[0] and (service.folder / "uv.lock").exists():
            git.run(service.folder, "add", "--all", "--", "uv.lock")
    return ""
