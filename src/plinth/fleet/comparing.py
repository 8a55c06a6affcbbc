"""What is compared with renders of the template; in a process of its own, one of several."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from plinth import style, trees, update
from plinth.errors import Exit, StoppedError
from plinth.fleet.rows import Drift, NextUpdate
from plinth.service import Service
from plinth.template import Template, refusals
from plinth.trees import File, Tree

SHA1 = 40
OF_STYLE = (style.PROJECT, style.LOCK)


@dataclass(frozen=True)
class Task:
    """Services with the same template, release and answers: each render serves all of them."""

    services: list[tuple[int, Service]]
    """Each with its number in the audit."""
    repository: Path
    """The clone of the template."""
    target: str
    """The release of the next update; empty where it is not wanted."""
    drift: bool


@dataclass(frozen=True)
class Compared:
    """What was found out about a service."""

    drift: Drift | None
    next: NextUpdate | None
    error: str = ""


def compare(task: Task) -> list[tuple[int, Compared]]:
    """Compare services with what the template renders for them."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            base = _baseline(task, Path(scratch) / "baseline") if task.drift else {}
            renders = _renders(task, Path(scratch) / "rendered") if task.target else None
        except StoppedError as error:
            refused = Compared(None, NextUpdate(refused=str(error)))
            return [(number, refused) for number, _ in task.services]
    found: list[tuple[int, Compared]] = []
    for number, service in task.services:
        try:
            drift = drifted(service, base) if task.drift else None
            following = _rehearsed(service, task, renders) if renders else None
            found.append((number, Compared(drift, following)))
        except StoppedError as error:
            found.append((number, Compared(None, None, str(error))))
    return found


def _baseline(task: Task, into: Path) -> Tree:
    from plinth.fleet import rendering  # noqa: PLC0415 - see _renders

    _, service = task.services[0]
    given = {name: answer for name, answer in service.answers.items() if name[:1] != "_"}
    with refusals():
        return rendering.baseline(
            str(task.repository),
            into,
            given,
            vcs_ref=service.release,
            answers_file=service.answers_file,
        )


def _renders(task: Task, into: Path) -> update.Renders:
    # It builds on inner parts of Copier, on which the other commands must not depend.
    from plinth.fleet import rendering  # noqa: PLC0415

    _, service = task.services[0]
    template = Template(task.repository, service.address, rendering)
    return template.render(service, into, to=task.target)


def _rehearsed(service: Service, task: Task, renders: update.Renders) -> NextUpdate:
    template = Template(task.repository, service.address)
    try:
        plan = update.planned(service, update.Wish(task.target), template, renders)
    except StoppedError as error:
        if error.code is Exit.WOULD_LOSE_WORK:
            return NextUpdate(loses=[str(error)])
        raise
    return NextUpdate(sorted(plan.merge.conflicts), plan.losses)


def drifted(service: Service, base: Tree) -> Drift:
    """Compare what is committed in a service with what was rendered.

    Files are compared by their Git ids, so that few are read. Neither another line end, nor another
    format by the service's own settings of Ruff, is an edit.
    """
    there = trees.listing(service.folder, "HEAD")
    there.pop(service.answers_file, None)
    base = _formatted(service, base, there)
    common = [path for path in base if path in there]
    differing = [p for p in common if identity(base[p].content, there[p][1]) != there[p][1]]
    contents = trees.blobs(service.folder, [there[path][1] for path in differing])
    edited = [
        path
        for path, content in zip(differing, contents, strict=True)
        if _lines(content) != _lines(base[path].content)
    ]
    return Drift(edited, sorted(base.keys() - there.keys()), len(there.keys() - base.keys()))


def identity(content: bytes, like: str) -> str:
    """Return the id that Git gives to a content, in a repository that has another such id."""
    kind = "sha1" if len(like) == SHA1 else "sha256"
    found = hashlib.new(kind, b"blob %d\0" % len(content), usedforsecurity=False)
    found.update(content)
    return found.hexdigest()


def _formatted(service: Service, base: Tree, there: dict[str, tuple[str, str]]) -> Tree:
    names = [name for name in OF_STYLE if name in there]
    contents = trees.blobs(service.folder, [there[name][1] for name in names])
    own = {name: File(content) for name, content in zip(names, contents, strict=True)}
    if style.PROJECT in own and style.differs(base, own):
        return style.formatted(base, own) or base
    return base


def _lines(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
