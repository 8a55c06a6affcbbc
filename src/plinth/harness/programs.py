"""Programs: what of a project its own tests can see."""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from plinth.harness import facts
from plinth.harness.memory import digest, text_digest
from plinth.harness.render import Unit
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from plinth.imports import module_of


@dataclass(frozen=True)
class Program:
    """The files and distributions that a project's tests can import or read.

    Projects of the same `key` run the same tests on the same code.
    """

    key: str
    answers: Answers
    tree: Mapping[str, str]


# The file of which tests see these tables, and what is importable.
PROJECT = "pyproject.toml"
SEEN_TOOLS = ("pytest", "alembic")


class Programs:
    """The programs that a template can produce."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.renderer = survey.renderer
        self._decisions: dict[str, object] = {}

    def of(self, answers: Answers) -> Program:
        """Return the program that these answers make."""
        tree = self.renderer.tree(answers, machinery=True)
        seen = [text_digest(path, tree[path]) for path in sorted(filter(self.is_seen, tree))]
        return Program(digest(seen, self._decided(tree["pyproject.toml"])), answers, tree)

    def _decided(self, text: str) -> object:
        """Return what pyproject.toml decides: what is importable, and how tests run."""
        if text not in self._decisions:
            content = tomllib.loads(text)
            required = [*content["project"]["dependencies"], *content["dependency-groups"]["dev"]]
            importable = (r for r in required if facts.distribution(r) in self._importable)
            tools = [content["tool"].get(name) for name in SEEN_TOOLS]
            self._decisions[text] = [sorted(importable), tools]
        return self._decisions[text]

    def all(self) -> list[Program]:
        """Return every distinct program, in an order that does not change."""
        found: dict[str, Program] = {}
        for answers in self.survey.space.combinations(only=self.decisive):
            program = self.of(self.survey.space.choose(answers).completed(self.survey.least))
            found.setdefault(program.key, program)
        return [found[key] for key in sorted(found)]

    @cached_property
    def decisive(self) -> set[str]:
        """The questions whose answers can change a program."""
        seen = [unit for unit in self.survey.units if self.is_seen(unit.path)]
        lists: dict[tuple[str, ...], list[Unit]] = {}
        for unit in self.survey.units:
            if unit.path == "pyproject.toml":
                lists.setdefault(self._importable_in(unit), []).append(unit)
        # The file itself says the same to all, unless its answers change what it requires.
        whole = [units for units in lists.values() if not units[0].kind]
        for required, units in lists.items():
            if required and (units[0].kind or len(whole) > 1):
                seen += units
        return {name for unit in seen for name in unit.answers}

    def _importable_in(self, unit: Unit) -> tuple[str, ...]:
        names = (facts.distribution(text) for _, text in facts.requirements(unit))
        return tuple(name for name in names if name in self._importable)

    @functools.cache  # noqa: B019 - programs live as long as their process
    def is_seen(self, path: str) -> bool:
        """Return whether tests can see a file: it is Python, or named in quotes."""
        name = PurePosixPath(path)
        # What tests see of pyproject.toml is told apart: most of it is for other tools.
        return name.suffix == ".py" or (name.name in self._named and path != PROJECT)

    @cached_property
    def _named(self) -> set[str]:
        """What the service and its tests say between quotes, file names among it."""
        read = ("src/", "tests/", "migrations/")
        texts = [unit.text for unit in self.survey.units if unit.path.startswith(read)]
        return {name for text in texts for name in re.findall(r'"([\w.-]+)"', text)}

    @cached_property
    def _importable(self) -> set[str]:
        """The distributions that a process of the tests may have loaded; commands are none."""
        imported = {name.partition(".")[0] for name in self.preload}
        runtime = {
            facts.distribution(text)
            for unit in self.survey.units
            if unit.path == "pyproject.toml"
            for table, text in facts.requirements(unit)
            if table == facts.RUNTIME
        }
        return runtime | {
            name
            for name, brings in self.survey.distributions.items()
            if brings.plugins or imported & {*brings.modules}
        }

    @cached_property
    def preload(self) -> list[str]:
        """Every module of others that a program imports."""
        own = {module_of(p).partition(".")[0] for p in self.renderer.sources if p.endswith(".py")}
        names = {
            name.rpartition(".")[0] or name
            for unit in self.survey.units
            if facts.is_python(unit) and unit.path.endswith(".py")
            for name in facts.imported(unit.text)
        }
        return sorted(name for name in names if name.partition(".")[0] not in own)
