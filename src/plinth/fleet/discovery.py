"""Where services are: folders, addresses of repositories, and lists of both."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from plinth import git
from plinth.errors import StoppedError
from plinth.fleet.addresses import is_remote, normal
from plinth.template import repository_url

ANSWERS = ":(glob)**/.copier-answers*.yml"
# Folders in which nothing is looked for.
SKIPPED = {"node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True)
class Repository:
    """A repository to look into, or a folder of one."""

    folder: Path
    shown: str
    """How its user knows it."""
    named: bool = True
    """Whether it was named, and not found in a folder."""


@dataclass(frozen=True)
class Place:
    """Where a service is: a folder, and its file of answers."""

    folder: Path
    answers_file: str
    shown: str


def named(arguments: Sequence[str], at: Path | None = None) -> Iterator[str]:
    """Yield paths and addresses, those of lists (`@FILE`) among them.

    In a list, a path is relative to the list, and a line that begins with `#` says nothing. Raises
    StoppedError where a list cannot be read.
    """
    for argument in arguments:
        if argument.startswith("@"):
            file = (at or Path()) / argument[1:]
            try:
                lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
            except (OSError, UnicodeDecodeError) as error:
                raise StoppedError(f"The list {file} cannot be read: {error}.") from error
            yield from named([line for line in lines if line and line[0] != "#"], file.parent)
        elif at is None or is_remote(argument):
            yield argument
        else:
            yield str(at / Path(argument).expanduser())


def repositories(argument: str, scratch: Path) -> Iterator[Repository]:
    """Yield the repositories that an argument names; one with an address is cloned first.

    Raises StoppedError where there is none.
    """
    if is_remote(argument):
        yield Repository(_cloned(argument, scratch), normal(argument))
        return
    folder = Path(argument).expanduser().resolve()
    if not folder.is_dir():
        raise StoppedError(f"{folder} is not a folder.")
    if (folder / ".git").exists():
        yield Repository(folder, shown(folder))
        return
    found = [*_below(folder)]
    if found:
        yield from (Repository(path, shown(path), named=False) for path in found)
    elif _is_inside(folder):
        yield Repository(folder, shown(folder))
    else:
        raise StoppedError(f"{folder} is not in a Git repository, and there is none in it.")


def services(repository: Repository) -> list[Place]:
    """Return the services of a repository: one for each file of answers that it has."""
    listed = git.run(repository.folder, "ls-files", "-z", "--", ANSWERS)
    names = {name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name}
    paths = sorted(PurePosixPath(name) for name in names)
    return [
        Place(
            repository.folder / path.parent,
            path.name,
            str(PurePosixPath(repository.shown) / path.parent),
        )
        for path in paths
    ]


def shown(folder: Path) -> str:
    """Return a path as short as it can be: relative where it is below the current folder."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)


def _cloned(address: str, scratch: Path) -> Path:
    folder = scratch / hashlib.sha256(address.encode()).hexdigest()[:16]
    url = repository_url(address)
    try:
        git.run(scratch, "clone", "--quiet", "--depth=1", "--no-tags", "--", url, str(folder))
    except StoppedError as error:
        raise StoppedError(f"{normal(address)} cannot be cloned. {error}") from None
    return folder


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        if ".git" in folders or ".git" in files:
            yield Path(place)
            folders.clear()
        folders[:] = sorted(n for n in folders if n[0] != "." and n not in SKIPPED)


def _is_inside(folder: Path) -> bool:
    try:
        return git.text(folder, "rev-parse", "--is-inside-work-tree") == "true"
    except StoppedError:
        return False
