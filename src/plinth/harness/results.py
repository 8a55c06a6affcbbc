"""Which modules of tests passed, in whatever program: what is left of a run for the next one.

A module's result holds for every program in which all that it can import and read is the same.
"""

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from plinth.harness.closures import ONCE, Closures
from plinth.harness.hints import Hints
from plinth.harness.memory import HARNESS, Memory, code, digest, text_digest
from plinth.harness.programs import PROJECT, SEEN_TOOLS, Program
from plinth.harness.runner import Outcome
from plinth.harness.survey import Survey

# What decides how tests run, and which results are taken for the same.
HOW = (
    "closures",
    "environment",
    "forkserver",
    "layout",
    "programs",
    "results",
    "runner",
    "sources",
)


@dataclass(frozen=True)
class Task:
    """A program, and of its modules of tests those whose results are not known yet."""

    program: Program
    keys: Mapping[str, str]
    """Each module of the program with the key of its result."""
    modules: Sequence[str]
    left: Sequence[str] = ()
    """Modules that another program with the same answers runs on every change, if briefly."""


class ModuleResults:
    """The modules that passed."""

    def __init__(self, survey: Survey, hints: Hints, memory: Memory) -> None:
        self._survey = survey
        self._hints = hints
        self._memory = memory
        how = (HARNESS / f"{name}.py" for name in HOW)
        self._code = code(*how, HARNESS.parent / "imports.py")

    def plan(self, programs: Iterable[Program], *, brief: bool = False) -> Iterator[Task]:
        """Yield each program with what is left to run of it, each result wanted once.

        If `brief`, a module that says for which answers it runs on every change is left out where
        an earlier program has the same.
        """
        wanted: set[str] = set()
        met: set[Sequence[object]] = set()
        for program in programs:
            keys = self.keys(program)
            groups = {module: _group(program, module) for module in keys} if brief else {}
            left = [module for module, group in groups.items() if group in met]
            met.update(group for group in groups.values() if group)
            todo = [
                module
                for module, key in keys.items()
                if key not in self._memory and key not in wanted and module not in left
            ]
            wanted.update(keys[module] for module in todo)
            yield Task(program, keys, todo, left)

    def keys(self, program: Program) -> Mapping[str, str]:
        """Return what each module's result depends on, told by a key."""
        closures = Closures(program.tree)
        project, settings = _settings(program.tree["pyproject.toml"])
        always = [
            self._code,
            self._survey.environment(program.answers).fingerprint(),
            [project, settings],
            self._hints.hold if self._hints.hold_with in program.tree else "",
        ]
        keys: dict[str, str] = {}
        for module in closures.modules():
            closure = closures.of(module)
            servers = self._servers(program, program.tree.keys() if closure is None else closure)
            keys[module] = digest(always, servers, module, self._content(program, closure))
        return keys

    def _servers(self, program: Program, closure: AbstractSet[str]) -> Sequence[str]:
        """Return the servers that these files read; one that we start has any address."""
        told = self._survey.variables(program.answers)
        own = {server.setting for server in self._hints.servers.values() if server.start}
        return sorted(
            name if name in own else f"{name}={url}"
            for name, url in told.items()
            if any(_reads(program.tree[path], name) for path in closure)
        )

    def add(self, task: Task, outcome: Outcome) -> None:
        """Keep which modules passed, immediately."""
        for module in filter(outcome.holds, task.modules):
            tests = outcome.modules[module]
            self._memory.add(task.keys[module], module=module, tests=tests)

    def tests(self, task: Task) -> int:
        """Return how many tests passed before that need not run again, as far as they have."""
        known = (task.keys[m] for m in task.keys.keys() - {*task.modules})
        return sum(self._memory.recall(key)["tests"] for key in known if key in self._memory)

    def _content(self, program: Program, closure: AbstractSet[str] | None) -> Sequence[str]:
        if closure is None:
            return [program.key]
        return [text_digest(path, program.tree[path]) for path in sorted(closure - {PROJECT})]


def _group(program: Program, module: str) -> Sequence[object]:
    """Return what a module has in common with the others of which one runs on every change."""
    asked = " ".join(ONCE.findall(program.tree[module])).split()
    return (module, *(program.answers[question] for question in asked)) if asked else ()


@functools.cache
def _reads(text: str, variable: str) -> bool:
    """Whether a text names a variable, or the setting that has its value."""
    return variable in text or variable.removeprefix("APP_").lower() in text


@functools.cache
def _settings(text: str) -> tuple[Sequence[str], object]:
    """Return the name and version of a project, and the tables that tests see."""
    content = tomllib.loads(text)
    tools = [content["tool"].get(name) for name in SEEN_TOOLS]
    return (content["project"]["name"], content["project"]["version"]), tools
