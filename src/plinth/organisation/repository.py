"""The Git repository of an organisation's template."""

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plinth import git, trees
from plinth.errors import StoppedError
from plinth.template import repository_url, version
from plinth.trees import Tree

FILE = "organisation.toml"
# Releases of ours are fetched to here. They become tags when the template is built on them: Copier
# takes the newest tag, and that has to be one of the organisation's.
UPSTREAM = "refs/upstream/"
KEYS = {"name", "upstream", "release"}
NAME = re.compile(r"[^\s{}%#'\"\\][^{}%#'\"\\\n]{0,60}")
POST = re.compile(r"\.post(\d+)$")


@dataclass(frozen=True)
class Definition:
    """What organisation.toml says."""

    name: str
    """What the organisation is called."""
    upstream: str
    """The address of the template that is built upon."""
    release: str
    """Its release from which the files come."""
    locks: Mapping[str, object] = field(default_factory=dict[str, object])
    """Answers that are fixed, by question."""

    @classmethod
    def read(cls, text: str) -> "Definition":
        """Read the file. Raises StoppedError where it is not as it should be."""
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise StoppedError(f"{FILE} cannot be read: {error}.") from error
        if unknown := content.keys() - {*KEYS, "locks"}:
            raise StoppedError(f"{FILE} has unknown keys: {', '.join(sorted(unknown))}.")
        if missing := KEYS - content.keys():
            raise StoppedError(f"{FILE} lacks {', '.join(sorted(missing))}.")
        require_name(content["name"])
        return cls(**content)


def require_name(name: str) -> None:
    """Raise StoppedError unless an organisation can be called so."""
    if not NAME.fullmatch(name):
        raise StoppedError(
            f"{name!r} is not a name: no quotes, braces, % or #, 1 to 60 characters."
        )


@dataclass(frozen=True)
class Repository:
    """The repository of an organisation's template, checked out in a folder."""

    folder: Path

    @classmethod
    def found(cls, folder: Path) -> "Repository":
        """Return the one in a folder. Raises StoppedError where there is none."""
        folder = folder.resolve()
        if not (folder / FILE).is_file():
            raise StoppedError(
                f"There is no {FILE} in {folder}: plinth organisation init makes a template."
            )
        if not (folder / ".git").exists():
            raise StoppedError(f"{folder} is not the root of a Git repository.")
        return cls(folder)

    @functools.cached_property
    def definition(self) -> Definition:
        """What organisation.toml says."""
        return Definition.read((self.folder / FILE).read_text("utf-8"))

    def require_clean(self) -> None:
        """Raise StoppedError unless all is committed."""
        if files := git.changes(self.folder):
            raise StoppedError(f"Commit your changes first:{files}")

    def fetch(self, address: str) -> None:
        """Fetch the releases of ours. Raises StoppedError where they cannot be fetched."""
        try:
            self.git(
                "fetch",
                "--quiet",
                "--no-tags",
                repository_url(address),
                f"+refs/tags/*:{UPSTREAM}*",
            )
        except StoppedError as error:
            raise StoppedError(f"Releases cannot be fetched from {address}. {error}") from None

    def upstream_releases(self) -> Sequence[str]:
        """Return the releases of ours that were fetched, oldest first."""
        names = self.git("for-each-ref", "--format=%(refname)", UPSTREAM).split()
        releases = (name.removeprefix(UPSTREAM) for name in names)
        return sorted((r for r in releases if version(r) and not POST.search(r)), key=version)

    def own_releases(self) -> Sequence[str]:
        """Return the releases of the organisation, oldest first."""
        tags = self.git("tag").split()
        return sorted((tag for tag in tags if version(tag) and POST.search(tag)), key=version)

    def next_release(self, release: str) -> str:
        """Return the version of the organisation's next release upon one of ours."""
        own = [tag for tag in self.own_releases() if tag.startswith(f"{release}.post")]
        return f"{release}.post{version(own[-1])[-1] + 1 if own else 1}"

    def has(self, release: str) -> bool:
        """Whether a release of ours is here, fetched or as a tag."""
        return bool(self._references(release))

    def reference(self, release: str) -> str:
        """Return where a release of ours is. Raises StoppedError where it is not here."""
        if found := self._references(release):
            return found[0]
        known = self.upstream_releases()
        newest = f" The newest is {known[-1]}." if known else ""
        raise StoppedError(f"The template to build on has no release {release}.{newest}")

    def _references(self, release: str) -> list[str]:
        names = (f"{UPSTREAM}{release}", f"refs/tags/{release}")
        return self.git("for-each-ref", "--format=%(refname)", *names).split()[::-1]

    def tree(self, commit: str) -> Tree:
        """Return the files of a commit."""
        return trees.read(self.folder, commit)

    def git(self, *arguments: str) -> str:
        """Run Git here and return what it prints. Raises StoppedError with what Git says."""
        return git.text(self.folder, *arguments)
