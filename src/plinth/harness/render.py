"""Projects rendered in Copier's own environment, with a record of the answers that each file reads.

A file that reads few answers has few texts, however many combinations there are. Each is rendered
once: the answers are given one by one, when they are asked for, and every legal way is followed.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import jinja2
from copier._main import Worker
from copier._user_data import AnswersMap
from jinja2.runtime import Context

from plinth.harness.space import Answer, Answers, AnswerSpace

T = TypeVar("T")
MISSING = object()

# Where a context keeps the reading that it belongs to.
READING = "_reading"
# The only partial that may ask for the parts that are on; it says of which kind.
LOOP = "extensions/each"
# How an extension is listed: its name and the condition that turns it on.
CONDITION = re.compile(r"(?m)^ *(\w+): (.+)$")
# Tests that the harness lays over projects: a folder for the parts that they need, joined by "+".
MACHINERY = "tests/machinery/"
ALWAYS = "always"
INCLUDE = re.compile(r"\{% include '([^']+)' ignore missing %\}")


@dataclass(frozen=True)
class Found(Generic[T]):
    """A result, and the answers that it takes to get it; no other answer plays a part."""

    answers: Answers
    result: T


@dataclass(frozen=True)
class Unit:
    """A text that some answers bring into a project: a whole file, or one part's share of it."""

    path: str
    text: str
    answers: Answers
    # Where it is a share: what the file calls its place, and whose it is.
    kind: str = ""
    part: str = ""


class Reading:
    """Answers, given when they are asked for.

    `given` are tried first. Another answer is the first legal one, and the other legal ones are
    kept as `alternatives`, each with what was answered before it.
    """

    def __init__(self, renderer: "Renderer", given: Answers) -> None:
        self.renderer = renderer
        self._given = given
        self._choices = renderer.space.choose()
        self._parts: dict[str, bool] = {}
        self.alternatives: list[Answers] = []
        self.kinds: dict[str, None] = {}
        self.sources: dict[str, None] = {}
        """The files of the template that were rendered, in that order."""

    @property
    def made(self) -> Answers:
        """The answers asked for so far, in that order."""
        return self._choices.made

    def __contains__(self, name: str) -> bool:
        """Whether it is a question with a choice."""
        return name in self._choices

    def answer(self, name: str) -> Answer:
        """Return the answer to a question with a choice."""
        if name not in self.made:
            legal = [*self._choices.legal(name)]
            if name in self._given:
                legal = [self._given[name]]
            before = {**self.made}
            self.alternatives += [{**before, name: value} for value in legal[1:]]
            self._choices.give(name, legal[0])
        return self.made[name]

    def part(self, name: str) -> bool:
        """Whether a part of the service is on."""
        if name not in self._parts:
            self._parts[name] = self.renderer.is_on(name, self)
        return self._parts[name]

    def parts(self, kind: str) -> list[str]:
        """Return the parts that are on and have a share of this kind, in order."""
        self.kinds[kind] = None
        return [name for name in self.renderer.sharers(kind) if self.part(name)]


class PartsOff(Reading):
    """Answers to what a shared file says by itself, without any part's share."""

    def parts(self, kind: str) -> list[str]:
        """Return none."""
        self.kinds[kind] = None
        return []


class RecordingContext(Context):
    """Names in a template; those of questions are answered by the reading."""

    def __init__(
        self,
        environment: jinja2.Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Any],
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - as the base class has it
    ) -> None:
        super().__init__(environment, parent, name, blocks, globals)
        if name and isinstance(reading := parent.get(READING), Reading):
            reading.sources[name] = None

    def resolve_or_missing(self, key: str) -> Any:  # noqa: ANN401 - as the base class has it
        """Return what a name stands for."""
        reading = self.parent.get(READING)
        if not isinstance(reading, Reading) or key in self.vars or key in self.parent:
            return super().resolve_or_missing(key)
        if key == "parts" and self.name == LOOP:
            return reading.parts(super().resolve_or_missing("kind"))
        if key in {"parts", "extensions"}:
            raise LookupError(f"{self.name} asks for {key}; only {LOOP} may")
        if key == "_copier_answers":
            return reading.renderer.recorded(reading)
        return reading.answer(key) if key in reading else super().resolve_or_missing(key)


@dataclass(frozen=True)
class Question:
    """What a file asks next, after the answers that it has read."""

    name: str


class Renderer:
    """What the template makes of answers, without a file written."""

    def __init__(self, template: Path) -> None:
        self.space = AnswerSpace(template)
        self._root = template
        self._worker = Worker(
            src_path=str(template), dst_path=template / "nowhere", defaults=True, quiet=True
        )
        factors = self.space.factors()
        complete = self.space.complete()
        self._texts = {name: value for name, value in complete.items() if name not in factors}
        self._worker.answers = AnswersMap(init={**self._texts})
        self._worker.jinja_env.context_class = RecordingContext
        # Copier has no public way to render one file.
        context = self._worker._render_context()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._context = {name: v for name, v in context.items() if name != "_copier_answers"}
        # Of each file what it asks first, what it asks after an answer to that, …, and its text.
        self._memos: dict[str, dict[tuple[Answer, ...], Question | str | None]] = {}

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """Each path that a project can have, with the file of the template that it comes from."""
        root = self._worker.template_copy_root
        found: dict[str, str] = {}
        for file in sorted(root.rglob("*")):
            path = file.relative_to(root)
            if file.is_file() and not self.leaves_out(path.as_posix()):
                rendered = self._worker._render_path(path)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
                for destination, _ in rendered:
                    found[destination.as_posix()] = file.relative_to(self._root).as_posix()
        return {**found, **self._machinery}

    def leaves_out(self, path: str) -> bool:
        """Whether a path is left out of all projects, whatever is answered."""
        return self._excluded(Path(path))

    @cached_property
    def _excluded(self) -> Callable[[Path], bool]:
        return self._matcher(text for text in self._worker.all_exclusions if "{%" not in text)

    @cached_property
    def _machinery(self) -> Mapping[str, str]:
        """Each file of tests that projects get here and nowhere else."""
        files = sorted((self._root / MACHINERY).glob("*/*.py"))
        paths = [file.relative_to(self._root).as_posix() for file in files]
        return {path: path for path in paths}

    @cached_property
    def conditions(self) -> Mapping[str, str]:
        """Each part, in order of installation, with what turns it on."""
        text = str(self.space.questions["extensions"]["default"])
        text = INCLUDE.sub(lambda found: self._optional(found[1]), text)
        return dict(CONDITION.findall(text))

    @cached_property
    def owners(self) -> Mapping[str, Sequence[Sequence[str]]]:
        """Each path that parts own: it is there if, of each of these lists, a part is on."""
        parts: dict[str, list[str]] = {}
        for name in self.sharers("owns"):
            for line in self.share(name, "owns").split():
                parts.setdefault(line, []).append(name)
        owns = {line: self._matcher([f"/{line}"]) for line in parts}
        owners: dict[str, Sequence[Sequence[str]]] = {
            path: [parts[line] for line in parts if owns[line](Path(path))] for path in self.sources
        }
        for path in self._machinery:
            needed = path.removeprefix(MACHINERY).partition("/")[0]
            owners[path] = [[part] for part in needed.split("+") if part != ALWAYS]
        return owners

    @functools.cache  # noqa: B019 - a renderer lives as long as its process
    def sharers(self, kind: str) -> list[str]:
        """Return the parts that have a share of this kind, in order of installation."""
        return [name for name in self.conditions if self.place(name, kind)]

    def share(self, part: str, kind: str) -> str:
        """Return a part's share as it is written; empty where it has none."""
        return self._optional(self.place(part, kind))

    def is_on(self, part: str, reading: Reading) -> bool:
        """Whether the answers turn a part on."""
        text = self._conditions[part].render({**self._context, READING: reading})
        return text.strip().lower() == "true"

    @cached_property
    def _conditions(self) -> Mapping[str, jinja2.Template]:
        environment = self._worker.jinja_env
        return {name: environment.from_string(text) for name, text in self.conditions.items()}

    def recorded(self, reading: Reading) -> Mapping[str, object]:
        """Return what Copier writes down of the answers; it asks for all of them."""
        answers = {name: reading.answer(name) for name in self.space.factors()}
        return {"_src_path": self._worker.template.url, **self._texts, **answers}

    def text(self, path: str, reading: Reading) -> str | None:
        """Return a file as the answers make it, or None where they leave it out."""
        if not self.is_there(path, reading):
            return None
        source = self.sources[path]
        if source.endswith(self._worker.template.templates_suffix):
            return self._render(source, reading)
        return (self._root / source).read_bytes().decode("utf-8")

    def is_there(self, path: str, reading: Reading) -> bool:
        """Whether the answers bring a file into the project."""
        return all(any(map(reading.part, parts)) for parts in self.owners[path])

    def tree(self, answers: Answers, *, machinery: bool = False) -> dict[str, str]:
        """Return every file of a project by its path, as Copier would write it.

        With `machinery`, the tests are there too that only the harness adds.
        """
        paths = (p for p in self.sources if machinery or p not in self._machinery)
        found = ((path, self.file(path, answers)) for path in paths)
        return {path: text for path, text in found if text is not None}

    def file(self, path: str, answers: Answers) -> str | None:
        """Return a file for a whole combination; one text serves all that it cannot tell apart."""
        memo = self._memos.setdefault(path, {})
        read: tuple[Answer, ...] = ()
        while isinstance(known := memo.get(read, MISSING), Question):
            read += (answers[known.name],)
        if known is MISSING:
            reading = Reading(self, answers)
            known = self.text(path, reading)
            read = ()
            for name, answer in reading.made.items():
                memo[read] = Question(name)
                read += (answer,)
            memo[read] = known
        return cast("str | None", known)

    def explore(
        self, function: Callable[[Reading], T], reading_of: type[Reading] = Reading
    ) -> Iterator[Found[T]]:
        """Yield what a function makes of answers, once for each way through what it asks for."""
        pending: list[Answers] = [{}]
        while pending:
            reading = reading_of(self, pending.pop())
            result = function(reading)
            yield Found(reading.made, result)
            pending += reading.alternatives

    def used(self) -> set[str]:
        """Return every file of the template that goes into a project, partials among them."""
        found: set[str] = set()

        def used(path: str, reading: Reading) -> None:
            if self.text(path, reading) is not None:
                found.update([self.sources[path], *reading.sources])
                kinds.update(reading.kinds)

        for path in self.sources:
            if path == self._worker.answers_relpath.as_posix():
                continue  # it asks for all answers
            kinds: dict[str, None] = {}
            for _ in self.explore(functools.partial(used, path), PartsOff):
                pass
            for kind in kinds:
                for part in self.sharers(kind):
                    for _ in self.explore(functools.partial(self._use, part, kind, found)):
                        pass
        return found

    def _use(self, part: str, kind: str, found: set[str], reading: Reading) -> None:
        if reading.part(part):
            self._render(self.place(part, kind), reading)
            found.update(reading.sources)

    def units(self, path: str) -> list[Unit]:
        """Return all texts of a file; of one that parts have shares in, each share by itself."""
        kinds: dict[str, None] = {}

        def own(reading: Reading) -> str | None:
            text = self.text(path, reading)
            kinds.update(reading.kinds)
            return text

        found = [
            Unit(path, leaf.result, leaf.answers)
            for leaf in self.explore(own, PartsOff)
            if leaf.result is not None
        ]
        for kind in kinds:
            for part in self.sharers(kind):
                found += self._shares(path, part, kind)
        return found

    def _shares(self, path: str, part: str, kind: str) -> Iterator[Unit]:
        def share(reading: Reading) -> str | None:
            if self.is_there(path, reading) and reading.part(part):
                return self._render(self.place(part, kind), reading)
            return None

        for leaf in self.explore(share):
            if leaf.result is not None:
                yield Unit(path, leaf.result, leaf.answers, kind, part)

    def _render(self, source: str, reading: Reading) -> str:
        template = self._worker.jinja_env.get_template(source)
        return template.render({**self._context, READING: reading})

    def _matcher(self, patterns: Iterable[str]) -> Callable[[Path], bool]:
        return self._worker._path_matcher(patterns)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    def place(self, part: str, kind: str) -> str:
        """Return the path of a part's share in the template; empty if it has none."""
        places = (f"{folder}/{part}/{kind}" for folder in ("organisation", "extensions"))
        return next((place for place in places if (self._root / place).is_file()), "")

    def _optional(self, source: str) -> str:
        file = self._root / source
        return file.read_text("utf-8") if file.is_file() else ""
