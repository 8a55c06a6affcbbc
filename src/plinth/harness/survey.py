"""Every text that the template can produce, checked by itself and against the others."""

import functools
import itertools
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from plinth.harness import checks, commands, examples, facts, prose, style
from plinth.harness.claims import Claim, agree, counterexample
from plinth.harness.coverage import covering_array
from plinth.harness.environment import Distribution, Environment
from plinth.harness.hints import Hints
from plinth.harness.relations import Relations
from plinth.harness.render import Found, Reading, Renderer, Unit
from plinth.harness.space import Answers

# A file with more texts is checked by chunks: each share, each pair of shares, and a sample.
FEW = 256
SAMPLE = 1000
# A file of Python with more texts does not get a whole project for each of them.
MANY = 24
# The record of the answers names those not taken, too.
RECORD = ".copier-answers.yml"


@dataclass(frozen=True)
class Bodies:
    """The texts of a file: all of them, or a selection."""

    path: str
    found: Sequence[Found[str]]
    by_chunks: bool


class Survey:
    """Looks at everything that a template can produce.

    `sample` is how many whole texts there are of a file that has too many to look at all.
    """

    def __init__(self, template: Path, hints: Hints, sample: int = SAMPLE) -> None:
        self.renderer = Renderer(template)
        self.space = self.renderer.space
        self._hints = hints
        self._sample = sample

    @cached_property
    def units(self) -> list[Unit]:
        """Every text, shared files by share; the record of the answers is left out."""
        paths = [path for path in self.renderer.sources if path != RECORD]
        return [unit for path in paths for unit in self.renderer.units(path)]

    @cached_property
    def bodies(self) -> list[Bodies]:
        """Every file with its texts."""
        return [self._bodies(path) for path in self.renderer.sources]

    def requirements(
        self, without: Collection[str] = (), beside: Collection[str] = ()
    ) -> list[str]:
        """Everything that a project can depend on, the shares of some parts left out.

        Beside others: what no project has together with them is left out too.
        """
        units = self._at("pyproject.toml")
        chosen = [unit for unit in units if unit.part in beside]
        found = [
            text
            for unit in units
            if unit.part not in without
            and all(any(agree(unit, by) for by in chosen if by.part == part) for part in beside)
            for _, text in facts.requirements(unit)
        ]
        return [*found, *self._hints.machinery]

    def environment(self, answers: Answers) -> Environment:
        """Return an environment in which projects with these answers can run."""
        reading = Reading(self.renderer, answers)
        return self._environment(*filter(reading.part, self._hints.apart))

    def variables(self, answers: Answers) -> Mapping[str, str]:
        """Return what the environment has to tell the tests of projects with these answers."""
        reading = Reading(self.renderer, answers)
        on = filter(reading.part, self._hints.servers)
        servers = [self._hints.servers[part] for part in on]
        return {server.setting: server.address for server in servers}

    @functools.cache  # noqa: B019 - a survey lives as long as its process
    def _environment(self, *apart: str) -> Environment:
        return Environment.with_all(self.requirements({*self._hints.apart} - {*apart}, apart))

    @cached_property
    def distributions(self) -> Mapping[str, Distribution]:
        """Everything that a project can have installed."""
        found = {**self._environment().distributions()}
        for part in self._hints.apart:
            found |= self._environment(part).distributions()
        return found

    def problems(self) -> Iterator[str]:
        """Yield a sentence for whatever is wrong, each once."""
        told: set[str] = set()
        for problem in self._problems():
            if problem not in told:
                told.add(problem)
                yield problem

    def _problems(self) -> Iterator[str]:
        yield from checks.check_names(self.renderer.sources)
        yield from self._hints.unnamed(self.renderer.conditions)
        for bodies in self.bodies:
            for text in {found.result for found in bodies.found}:
                yield from _check(bodies.path, text)
        yield from examples.problems(self.units, self.space)
        for claim in self.claims:
            if (missing := counterexample(self.space, claim)) is not None:
                told = ", ".join(f"{name}={answer}" for name, answer in missing.items())
                yield f"{claim.unit.path}: {claim.sentence} with {told or 'any answers'}"
        yield from self._ruff()

    @cached_property
    def claims(self) -> list[Claim]:
        """What must hold between the texts of a project."""
        relations = Relations(self.renderer, self.units, self._hints, self.distributions)
        return [*relations.claims(), *prose.claims(self.units), *commands.claims(self.units)]

    def _at(self, *paths: str) -> list[Unit]:
        return [unit for unit in self.units if unit.path in paths]

    @cached_property
    def least(self) -> Answers:
        """A combination that turns on as few parts as can be."""
        return self._extreme(min)

    @cached_property
    def most(self) -> Answers:
        """A combination that turns on as many parts as can be."""
        return self._extreme(max)

    def _extreme(self, choose: Callable[..., Answers]) -> Answers:
        """Return the combination that is chosen answer by answer, by the number of parts."""
        best = self.space.choose().completed(
            {name: values[0] for name, values in self.space.factors().items()}
        )
        for name, values in self.space.factors().items():
            for value in values:
                other = self.space.choose({name: value}).completed(best)
                best = choose(best, other, key=self.parts_on)
        return best

    def parts_on(self, answers: Answers) -> int:
        """Return how many parts are on."""
        return sum(map(Reading(self.renderer, answers).part, self.renderer.conditions))

    def _bodies(self, path: str) -> Bodies:
        text = functools.partial(self.renderer.text, path)
        few = [*itertools.islice(self.renderer.explore(text), FEW + 1)]
        by_chunks = len(few) > FEW
        found = self._chunks(path) if by_chunks else few
        return Bodies(
            path, [Found(f.answers, f.result) for f in found if f.result is not None], by_chunks
        )

    def _chunks(self, path: str) -> Iterator[Found[str | None]]:
        """Yield a file with each part alone, as far as may be, with each two, and at random."""
        parts = {part for unit in self._at(path) for part in self.renderer.sharers(unit.kind)}
        generator = random.Random(path)  # noqa: S311 - it picks what is checked
        combinations = [
            self.least,
            *filter(None, map(self.with_parts, itertools.combinations(sorted(parts), 1))),
            *filter(None, map(self.with_parts, itertools.combinations(sorted(parts), 2))),
            *self._pairs,
            *(self.space.sample(generator) for _ in range(self._sample)),
        ]
        for answers in combinations:
            yield Found(answers, self.renderer.file(path, answers))

    @cached_property
    def _pairs(self) -> list[Answers]:
        return covering_array(self.space)

    def with_parts(self, parts: Iterable[str]) -> Answers | None:
        """Return a combination with these parts on and few others, None if there is none."""
        wanted = [*parts]
        ways = self.renderer.explore(lambda reading: all(map(reading.part, wanted)))
        for way in ways:
            if way.result:
                return self.space.choose(way.answers).completed(self.least)
        return None

    @cached_property
    def trees(self) -> list[dict[str, str]]:
        """What ruff reads of projects in which every text of a Python file occurs."""
        return [*self._trees()]

    def _trees(self) -> Iterator[dict[str, str]]:
        todo: dict[tuple[str, str], Answers] = {
            (bodies.path, found.result): found.answers
            for bodies in self.bodies
            if bodies.path.endswith((".py", ".pyi"))
            for found in bodies.found
        }
        # A file with many texts is looked at in projects that have little else.
        texts = Counter(path for path, _ in todo)
        many = {path for path, count in texts.items() if count > MANY}
        while rest := {key: found for key, found in todo.items() if key[0] not in many}:
            choices = self.space.choose()
            for answers in rest.values():
                choices = choices.with_all(answers) or choices
            tree = self.renderer.tree(choices.completed(self.least), machinery=True)
            yield {
                path: text
                for path, text in tree.items()
                # Which modules there are decides how imports are sorted.
                if path.endswith((".py", ".pyi", "pyproject.toml"))
            }
            for item in tree.items():
                todo.pop(item, None)
        for (path, text), answers in todo.items():
            yield self._around(path, text, self.space.choose(answers).completed(self.least))

    def _around(self, path: str, text: str, answers: Answers) -> dict[str, str]:
        """Return what it takes to see a file as it is in its project: settings, and packages."""
        folders = {p.partition("/")[0] for p in self.renderer.sources if p.endswith(".py")}
        packages = [f"{folder}/__init__.py" for folder in folders - {"src", "typings"}]
        around = dict.fromkeys([*packages, "src/app/__init__.py"], '"""A package."""\n')
        settings = self.renderer.file("pyproject.toml", answers)
        return {**around, "pyproject.toml": settings or "", path: text}

    def _ruff(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            yield from style.findings(self.trees, Path(folder))


# Texts are the same in many surveys of one process: each is read once.
@functools.cache
def _check(path: str, text: str) -> Sequence[str]:
    return [*checks.check_text(path, text), *checks.check_syntax(path, text)]
