"""Where a file of a project comes from, and the answers that choose between its variants."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from plinth.harness.render import LOOP, Found, PartsOff, Reading, Renderer
from plinth.harness.space import Answer, Answers, argument

VARIANTS = "variants/"
# Answers with the same result: for each question, those that lead to it.
Choice = Mapping[str, frozenset[Answer]]


@dataclass(frozen=True)
class Origin:
    """A file of the template that can be the file of a project, and the ways to choose it."""

    source: str
    ways: list[str]


@dataclass(frozen=True)
class Place:
    """Where a file comes from."""

    path: str
    source: str
    origins: list[Origin]
    partials: Mapping[str, list[str]]
    """For each kind of share the files that parts add to it, in order."""

    def __str__(self) -> str:
        """Return lines for a reader."""
        lines = [f"{self.path} comes from {self.source}"]
        for origin in self.origins:
            lines += [f"  {origin.source}", *(f"    with {way}" for way in origin.ways)]
        for kind, files in self.partials.items():
            lines += [f"  parts add their {kind}:", *(f"    {file}" for file in files)]
        return "\n".join(lines)


def destination(path: str) -> str:
    """Return the path in a project of a file that is named by its path here, or there."""
    path = path.removeprefix("./").removeprefix("template/").removesuffix(".jinja")
    return path.partition(VARIANTS)[2] if path.startswith("extensions/") else path


def near(renderer: Renderer, path: str) -> list[str]:
    """Return files that a path may have meant that does not exist."""
    name = PurePosixPath(path).name
    same = [known for known in renderer.sources if PurePosixPath(known).name == name]
    close = difflib.get_close_matches(path, renderer.sources, n=5, cutoff=0.7)
    return [*dict.fromkeys([*same, *close])][:8]


def locate(renderer: Renderer, path: str) -> Place:
    """Return where a file comes from. Raises KeyError where no project has it."""
    source = renderer.sources[path]
    kinds: dict[str, None] = {}

    def used(reading: Reading) -> tuple[str, ...] | None:
        if renderer.text(path, reading) is None:
            return None
        kinds.update(reading.kinds)
        partials = {LOOP, *(place for kind in kinds for place in _shares(renderer, kind))}
        whole = [name for name in reading.sources if name not in partials and name != source]
        return tuple(whole) or (source,)

    by_source: dict[str, list[Answers]] = {}
    for found in renderer.explore(used, PartsOff):
        for name in _named(found):
            by_source.setdefault(name, []).append(found.answers)
    factors = renderer.space.factors()
    origins = [Origin(name, _ways(answers, factors)) for name, answers in by_source.items()]
    return Place(path, source, origins, {kind: [*_shares(renderer, kind)] for kind in kinds})


def _named(found: Found[tuple[str, ...] | None]) -> tuple[str, ...]:
    return found.result or ()


def _shares(renderer: Renderer, kind: str) -> Iterable[str]:
    return (renderer.place(part, kind) for part in renderer.sharers(kind))


def _ways(answers: Iterable[Answers], factors: Mapping[str, tuple[Answer, ...]]) -> list[str]:
    """Return a line for each way to answer, as few as can be."""
    choices = [{name: frozenset({value}) for name, value in row.items()} for row in answers]
    merged = _merged(choices)
    lines = (_line(choice, factors) for choice in merged)
    return [*dict.fromkeys(line or "any answers" for line in lines)]


def _merged(choices: list[dict[str, frozenset[Answer]]]) -> list[dict[str, frozenset[Answer]]]:
    """Join choices that differ in one question, until none do."""
    for number, first in enumerate(choices):
        for second in choices[number + 1 :]:
            if first.keys() != second.keys():
                continue
            different = [name for name in first if first[name] != second[name]]
            if len(different) <= 1:
                joined = {name: first[name] | second[name] for name in first}
                rest = [c for c in choices if c is not first and c is not second]
                return _merged([*rest, joined])
    return choices


def _line(choice: Choice, factors: Mapping[str, tuple[Answer, ...]]) -> str:
    told = [
        " or ".join(argument(name, value) for value in factors[name] if value in values)
        for name, values in choice.items()
        if len(values) < len(factors[name])
    ]
    return ", ".join(told)
