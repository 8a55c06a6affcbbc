"""Where things are in a project: what a name, or a text in quotes, can mean."""

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from plinth.harness.sources import prefixes
from plinth.imports import module_of

SEPARATORS = re.compile(r"[\s:;=,()\[\]{}'\"]+")


class Layout:
    """The paths of a project."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = sorted(paths)
        self.modules: dict[str, str] = {}
        self._named: defaultdict[str, list[str]] = defaultdict(list)
        self._below: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            self._named[PurePosixPath(path).name].append(path)
            for folder in (*PurePosixPath(path).parents,)[:-1]:
                self._below[str(folder)].append(path)
            if path.endswith(".py"):
                self.modules.setdefault(module_of(path), path)
        self._tops = {module.partition(".")[0] for module in self.modules}

    def below(self, folder: str) -> list[str]:
        """Return the files in a folder."""
        return self._below.get(folder, [])

    def imported(self, dotted: str) -> list[str]:
        """Return the files that an import runs: the packages, and the module."""
        if dotted.partition(".")[0] not in self._tops:
            return []
        return [self.modules[name] for name in prefixes(dotted) if name in self.modules]

    def meant(self, word: str) -> Iterator[str]:
        """Yield the files that a text in quotes can mean, or a word of it."""
        for token in {*SEPARATORS.split(word), word} - {""}:
            yield from self._named.get(token, ())
            if "/" not in token:
                yield from self._below.get(token, ())
            elif "*" not in token:
                yield from self._path(token)
            if "*" in token and set(token) - set("*./"):
                yield from (p for p in self.paths if fnmatch.fnmatch(f"/{p}", f"*/{token}"))

    def dotted(self, word: str) -> Iterator[str]:
        """Yield the names of modules, or of something in them, that a text in quotes can mean."""
        for token in {*SEPARATORS.split(word), word}:
            if "." in token and "/" not in token and self.imported(token):
                yield token

    def step(self, path: str, word: str) -> Iterator[str]:
        """Yield the files that a part of a path can mean, relative to any folder of a file."""
        word = word.strip("./")
        for above in map(str, PurePosixPath(path).parents):
            place = word if above == "." else f"{above}/{word}"
            yield from self._below.get(place, ())

    def _path(self, token: str) -> Iterator[str]:
        """Yield the files at a path; one that begins with a slash is that of a URL, or a tail."""
        tail = token.strip("./")
        if not tail:
            return
        yield from self._below.get(tail, ())
        if "/" in tail or "." in tail:
            yield from (path for path in self.paths if f"/{path}".endswith(f"/{tail}"))
