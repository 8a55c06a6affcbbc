"""Every text that the template can produce, checked by itself and against the others."""

import functools
import itertools
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from plinth.harness import checks, commands, examples, facts, prose, style
from plinth.harness.claims import Claim, agree, grouped
from plinth.harness.coverage import covering_array
from plinth.harness.environment import Distribution, Environment
from plinth.harness.hints import Hints
from plinth.harness.render import MACHINERY, Found, Reading, Renderer, Unit
from plinth.harness.space import Answers, AnswerSpace

# A file with more texts is checked by chunks: each share, each pair of shares, and a sample.
FEW = 256
SAMPLE = 1000
# A file of Python with more texts does not get a whole project for each of them.
MANY = 24
# The record of the answers names those not taken, too.
RECORD = ".copier-answers.yml"


@dataclass(frozen=True)
class Bodies:
    """The texts of a file; all that there are, or those that stand for them."""

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
        """Every text, those of shared files by share; the record of the answers says nothing."""
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
        return [
            *self._imports(),
            *self._unused_requirements(),
            *self._unused_stubs(),
            *self._settings(),
            *self._targets(),
            *self._names(),
            *prose.claims(self.units),
            *commands.claims(self.units),
        ]

    def _at(self, *paths: str) -> list[Unit]:
        return [unit for unit in self.units if unit.path in paths]

    @cached_property
    def _python(self) -> list[Unit]:
        return [unit for unit in self.units if facts.is_python(unit)]

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

    def _imports(self) -> Iterator[Claim]:
        """Claim that what is imported is a file of the project, or declared."""
        own = {
            facts.module_of(path): path for path in self.renderer.sources if path.endswith(".py")
        }
        packages = {name.partition(".")[0] for name in own}
        there = grouped((unit.path, unit) for unit in self._python)
        declared = self._declared
        harness = {facts.distribution(text) for text in self._hints.machinery}
        for unit in self._python:
            for name in sorted(set(_imported(unit.text))):
                top = name.partition(".")[0]
                if top in packages:
                    module = name if name in own else name.rpartition(".")[0]
                    providers = there.get(own.get(module, ""), [])
                    yield Claim(unit, f"imports {module}, which is not there", providers)
                elif not facts.is_standard(name):
                    tables = (
                        [facts.RUNTIME]
                        if unit.path.startswith(("src/", "migrations/"))
                        else [facts.RUNTIME, facts.DEVELOPMENT]
                    )
                    names = self._installed.get(top, [])
                    if unit.path.startswith(MACHINERY) and not harness.isdisjoint(names):
                        continue
                    providers = [
                        answers
                        for n in names
                        for t in tables
                        for answers in declared.get((t, n), [])
                    ]
                    yield Claim(unit, f"imports {top}, which is not declared", providers)

    @cached_property
    def _declared(self) -> Mapping[tuple[str, str], list[Answers]]:
        """Which answers declare a distribution, by table and name."""
        return grouped(
            ((table, facts.distribution(text)), unit)
            for unit in self._at("pyproject.toml")
            for table, text in facts.requirements(unit)
        )

    @cached_property
    def _installed(self) -> Mapping[str, list[str]]:
        """The distributions that bring a module."""
        found: dict[str, list[str]] = {}
        for name, distribution in self.distributions.items():
            for module in distribution.modules:
                found.setdefault(module, []).append(name)
        return found

    @cached_property
    def _importers(self) -> Mapping[str, list[Answers]]:
        """Which answers import a module, or something in it."""
        return grouped(
            (name, unit)
            for unit in self._python
            if not unit.path.startswith(MACHINERY)
            for name in {
                above
                for imported in _imported(unit.text)
                for above in itertools.accumulate(imported.split("."), "{}.{}".format)
            }
        )

    def _unused_requirements(self) -> Iterator[Claim]:
        """Each requirement is imported, run, named in a setting, or a plug-in of pytest."""
        installed = self.distributions
        for unit in self._at("pyproject.toml"):
            for _, text in facts.requirements(unit):
                name = facts.distribution(text)
                brings = installed[name]
                if brings.plugins:
                    continue
                modules = [module.removesuffix("-stubs") for module in brings.modules]
                users = [user for module in modules for user in self._importers.get(module, [])]
                spelled = {*modules, *brings.scripts, name}
                words = "|".join(map(re.escape, spelled))
                users += self._mentions(rf"(?<![\w.-])({words})(?![\w-])", spelled)
                if name in self._hints.used_through:
                    users += self._mentions(self._hints.used_through[name])
                yield Claim(unit, f"requires {name}, which nothing uses", users)

    def _unused_stubs(self) -> Iterator[Claim]:
        """Each file of types for a library is of a module that is imported, or lies above one."""
        for unit in self.units:
            if unit.path.startswith("typings/"):
                module = facts.module_of(unit.path)
                users = self._importers.get(module, [])
                yield Claim(unit, f"has types of {module}, which nothing imports", users)

    def _mentions(self, pattern: str, literals: Collection[str] = ("",)) -> list[Answers]:
        """Return the answers that bring such words in, lists of requirements apart.

        Where none of the literals stands, the pattern does not match.
        """
        word = re.compile(pattern)
        found: list[Answers] = []
        for unit in self.units:
            # What a project requires, it uses without what only the harness adds.
            if unit.kind in {facts.RUNTIME, facts.DEVELOPMENT} or unit.path.startswith(MACHINERY):
                continue
            text = unit.text
            if unit.path == "pyproject.toml" and not unit.kind:
                text = text[text.index("[tool.") :]
            if any(literal in text for literal in literals) and word.search(text):
                found.append(unit.answers)
        return found

    def _settings(self) -> Iterator[Claim]:
        """Each setting has an example, and what is named as a setting is one."""
        declared = grouped((name, unit) for unit in self._python for name in _settings(unit.text))
        examples = grouped(
            (name, unit)
            for unit in self._at(".env.example")
            for name in facts.EXAMPLE.findall(unit.text)
        )
        for unit in self._python:
            for name in _settings(unit.text):
                yield Claim(unit, f"has {name}, not in .env.example", examples.get(name, []))
        for unit in self.units:
            for name in sorted(set(facts.SETTING.findall(unit.text))):
                yield Claim(unit, f"names {name}, which is no setting", declared.get(name, []))

    def _targets(self) -> Iterator[Claim]:
        """Whoever says `make x` finds the target x."""
        targets = grouped(
            (name, unit)
            for unit in self._at("Makefile")
            for name in facts.TARGET.findall(unit.text)
        )
        for unit in self.units:
            for name in sorted(set(facts.calls(unit))):
                yield Claim(unit, f"says make {name}, no such target", targets.get(name, []))

    def _names(self) -> Iterator[Claim]:
        """Nothing names what belongs to a part that is off."""
        patterns: dict[str, list[Answers]] = {}
        # Words of a part that is not there fail here.
        for part in {**self.renderer.conditions, **self._hints.words}:
            ways = self.renderer.explore(functools.partial(_is_on, part))
            on = [way.answers for way in ways if way.result]
            for pattern in self._belongings(part):
                patterns.setdefault(pattern, []).extend(on)
        texts = [(unit, f"{unit.path}\n{unit.text}") for unit in self.units]
        for pattern, providers in patterns.items():
            word, literal = re.compile(pattern), _literal(pattern)
            for unit, text in texts:
                if literal in text and (found := word.search(text)):
                    yield Claim(unit, f"names {found[0]!r}, which is not there", providers)

    def _belongings(self, part: str) -> Iterator[str]:
        """Yield patterns of what only exists with a part.

        Of distributions, settings and modules the name; a service's may be any word, so that of it
        only as a key.
        """
        for kind in (facts.RUNTIME, facts.DEVELOPMENT):
            for _, text in facts.requirements(Unit("", self.renderer.share(part, kind), {}, kind)):
                if (name := facts.distribution(text)) not in self._shared:
                    yield _word(name)
        yield from map(_word, facts.EXAMPLE.findall(self.renderer.share(part, "env")))
        if words := self._hints.words.get(part):
            yield words
        for name in facts.SERVICE.findall(self.renderer.share(part, "compose")):
            yield rf"(?m)^ +{re.escape(name)}:$"
        for path in self.renderer.share(part, "owns").split():
            if path.startswith("src/"):
                yield _word(facts.module_of(path))

    @cached_property
    def _shared(self) -> set[str]:
        """The distributions that pyproject.toml itself requires, whatever parts are on."""
        own = [unit for unit in self._at("pyproject.toml") if not unit.kind]
        return {facts.distribution(text) for unit in own for _, text in facts.requirements(unit)}


def counterexample(space: AnswerSpace, claim: Claim) -> Answers | None:
    """Return answers that bring the text in and nothing that it needs; None if there are none."""
    pending = [(space.choose(claim.unit.answers), 0)]
    while pending:
        choices, number = pending.pop()
        if number == len(claim.providers):
            return choices.made
        provider = claim.providers[number]
        unknown = [name for name in provider if name not in choices.made]
        if any(choices.made[n] != provider[n] for n in provider if n in choices.made):
            pending.append((choices, number + 1))
        elif unknown:
            ways = (choices.with_all({unknown[0]: a}) for a in choices.legal(unknown[0]))
            pending += [(way, number) for way in ways if way]
    return None


BEFORE, AFTER = r"(?<![\w.-])", r"(?![\w-])"


def _word(name: str) -> str:
    return f"{BEFORE}{re.escape(name)}{AFTER}"


def _literal(pattern: str) -> str:
    """Return what stands in every text that matches: much faster to look for."""
    literal = pattern.removeprefix(BEFORE).removesuffix(AFTER).replace("\\", "")
    return literal if pattern == _word(literal) else ""


# Texts are the same in many surveys of one process: each is read once.
@functools.cache
def _check(path: str, text: str) -> Sequence[str]:
    return [*checks.check_text(path, text), *checks.check_syntax(path, text)]


@functools.cache
def _imported(text: str) -> Sequence[str]:
    return [*facts.imported(text)]


@functools.cache
def _settings(text: str) -> Sequence[str]:
    return [*facts.settings(Unit("", text, {}))]


def _is_on(part: str, reading: Reading) -> bool:
    return reading.part(part)
