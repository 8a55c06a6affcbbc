"""A template and its releases, fetched once for all services that have it."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth import git
from plinth.errors import StoppedError
from plinth.template import is_between, version

RELEASE = re.compile(r"v?\d+\.\d+\.\d+(\.post\d+)?")
DAY = 86_400


@dataclass(frozen=True)
class Upstream:
    """A clone of a template's repository, and its releases with their times, oldest first."""

    repository: Path
    name: str
    releases: Sequence[tuple[str, int]]

    @classmethod
    def fetched(cls, name: str, urls: Sequence[str], into: Path) -> "Upstream":
        """Clone a template by the first spelling of its address that works.

        Raises StoppedError where none does.
        """
        problem = StoppedError(f"The template has no address: {name}.")
        for url in urls:
            try:
                git.run(into.parent, "clone", "--quiet", "--bare", "--", url, str(into))
            except StoppedError as error:
                problem = error
            else:
                return cls(into, name, _releases(into))
        raise StoppedError(
            f"The template cannot be cloned from {name}. If it has moved, change _src_path in the "
            f"file of answers. {problem}"
        )

    @property
    def newest(self) -> str:
        """The newest release; empty where there is none."""
        return self.releases[-1][0] if self.releases else ""

    def has(self, name: str) -> bool:
        """Whether there is such a release, tag, branch or commit."""
        return bool(_time(self.repository, name))

    def behind(self, release: str, target: str) -> tuple[int, int]:
        """Return how many releases, and how many days, a release is behind another."""
        if version(release):
            newer = [name for name, _ in self.releases if is_between(release, name, target)]
        else:  # a commit, older than the first release or between two
            holding = git.text(self.repository, "tag", "--contains", f"{release}^{{commit}}")
            names = {*holding.split()} - {release}
            newer = [
                name
                for name, _ in self.releases
                if name in names and version(name) <= version(target)
            ]
        if not newer:
            return 0, 0
        seconds = _time(self.repository, target) - _time(self.repository, release)
        return len(newer), max(seconds, 0) // DAY


def _releases(repository: Path) -> Sequence[tuple[str, int]]:
    form = "--format=%(refname:strip=2) %(creatordate:unix)"
    lines = git.text(repository, "for-each-ref", form, "refs/tags").splitlines()
    tags = [line.rsplit(" ", 1) for line in lines]
    found = [(name, int(time)) for name, time in tags if RELEASE.fullmatch(name)]
    return sorted(found, key=lambda tag: version(tag[0]))


@functools.cache
def _time(repository: Path, name: str) -> int:
    """Return when a commit was made; 0 where there is none of this name."""
    try:
        return int(git.text(repository, "log", "-1", "--format=%ct", f"{name}^{{commit}}", "--"))
    except (StoppedError, ValueError):
        return 0
