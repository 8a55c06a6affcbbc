"""What must hold between the texts of a project: what one text names, another has to provide."""

import functools
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

from plinth.harness import facts
from plinth.harness.claims import Claim, grouped
from plinth.harness.environment import Distribution
from plinth.harness.hints import Hints
from plinth.harness.render import MACHINERY, Reading, Renderer, Unit
from plinth.harness.space import Answers
from plinth.imports import module_of


class Relations:
    """Compares the texts of a template: imports, dependencies, settings, targets, names."""

    def __init__(
        self,
        renderer: Renderer,
        units: Sequence[Unit],
        hints: Hints,
        distributions: Mapping[str, Distribution],
    ) -> None:
        self.renderer = renderer
        self.units = units
        self._hints = hints
        self.distributions = distributions

    def claims(self) -> Iterator[Claim]:
        """Yield what must hold."""
        yield from self._imports()
        yield from self._unused_requirements()
        yield from self._unused_stubs()
        yield from self._settings()
        yield from self._targets()
        yield from self._names()

    def _at(self, *paths: str) -> list[Unit]:
        return [unit for unit in self.units if unit.path in paths]

    @cached_property
    def _python(self) -> list[Unit]:
        return [unit for unit in self.units if facts.is_python(unit)]

    def _imports(self) -> Iterator[Claim]:
        """Claim that what is imported is a file of the project, or declared."""
        own = {module_of(path): path for path in self.renderer.sources if path.endswith(".py")}
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
                module = module_of(unit.path)
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
        # Tests have settings of their own, and set what is none.
        outside = [unit for unit in self.units if not unit.path.startswith("tests/")]
        for unit in filter(facts.is_python, outside):
            for name in _settings(unit.text):
                yield Claim(unit, f"has {name}, not in .env.example", examples.get(name, []))
        for unit in outside:
            for name in sorted(set(facts.SETTING.findall(unit.text))):
                yield Claim(unit, f"names {name}, which is no setting", declared.get(name, []))

    def _targets(self) -> Iterator[Claim]:
        """Claim that a target named by `make x` exists in the project."""
        targets = grouped(
            (name, unit)
            for unit in self._at("Makefile")
            for name in facts.TARGET.findall(unit.text)
        )
        for unit in self.units:
            for name in sorted(set(facts.calls(unit))):
                yield Claim(unit, f"says make {name}, no such target", targets.get(name, []))

    def _names(self) -> Iterator[Claim]:
        """Nothing that a project receives names what belongs to a part that is off."""
        patterns: dict[str, list[Answers]] = {}
        # Words of a part that is not there fail here.
        for part in {**self.renderer.conditions, **self._hints.words}:
            ways = self.renderer.explore(functools.partial(_is_on, part))
            on = [way.answers for way in ways if way.result]
            for pattern in self._belongings(part):
                patterns.setdefault(pattern, []).extend(on)
        received = (unit for unit in self.units if not unit.path.startswith(MACHINERY))
        texts = [(unit, f"{unit.path}\n{unit.text}") for unit in received]
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
                yield _word(module_of(path))

    @cached_property
    def _shared(self) -> set[str]:
        """The distributions that pyproject.toml itself requires, whatever parts are on."""
        own = [unit for unit in self._at("pyproject.toml") if not unit.kind]
        return {facts.distribution(text) for unit in own for _, text in facts.requirements(unit)}


BEFORE, AFTER = r"(?<![\w.-])", r"(?![\w-])"


def _word(name: str) -> str:
    return f"{BEFORE}{re.escape(name)}{AFTER}"


def _literal(pattern: str) -> str:
    """Return what stands in every text that matches: much faster to look for."""
    literal = pattern.removeprefix(BEFORE).removesuffix(AFTER).replace("\\", "")
    return literal if pattern == _word(literal) else ""


# Texts are the same in many surveys of one process: each is read once.
@functools.cache
def _imported(text: str) -> Sequence[str]:
    return [*facts.imported(text)]


@functools.cache
def _settings(text: str) -> Sequence[str]:
    return [*facts.settings(Unit("", text, {}))]


def _is_on(part: str, reading: Reading) -> bool:
    return reading.part(part)
