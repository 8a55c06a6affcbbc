"""What each test module of a program can import and read: its closure.

Of a module of tests all counts, of other files of Python what is used by name. What a text does not
tell for sure makes the closure the whole program.

A test of the machinery can state its closure instead: `# Depends on: tools/ src/app/db/engine.py`.
It is about these files alone, so it runs once for all programs in which they are the same. There
may be several such lines.

A dear one can say for which answers it runs on every change: `# On every change, once for: database
orm`. Of the programs with the same answers to these questions only the first runs it; the nightly
run and the sweep leave nothing out.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from plinth.harness import sources
from plinth.harness.layout import Layout
from plinth.harness.sources import Source, Statement
from plinth.imports import module_of

TESTS = "tests/"
# Programs that read any file of the project.
COMMANDS = {
    "make",
    "uv",
    "uvx",
    "pytest",
    "ruff",
    "lint-imports",
    "pyright",
    "mypy",
    "ty",
    "docker",
}
STATED = re.compile(r"^# Depends on: (.+)$", re.MULTILINE)
ONCE = re.compile(r"^# On every change, once for: (.+)$", re.MULTILINE)
# Where Alembic's folder of migrations is configured.
ALEMBIC, MIGRATIONS = "pyproject.toml", "migrations"


class Node(NamedTuple):
    """An object that a file defines by a name; without a name, the whole file."""

    path: str
    name: str = ""


# Stands for every file.
ANYTHING = Node("*")


@dataclass(frozen=True)
class Needs:
    """What a node needs: other nodes in any program, and fixtures, which depend on the program."""

    nodes: frozenset[Node]
    fixtures: frozenset[str]


def is_test_module(path: str) -> bool:
    """Whether pytest collects a file as a test module."""
    name = PurePosixPath(path).name
    return path.startswith(TESTS) and name.startswith("test_") and name.endswith(".py")


class Closures:
    """The closures of one program."""

    def __init__(self, tree: Mapping[str, str]) -> None:
        self._tree = tree
        self._layout = _layout(frozenset(tree))
        self._sources = {
            path: sources.read(text) for path, text in tree.items() if path.endswith(".py")
        }
        self._conftests = [path for path in self._sources if _is_conftest(path)]
        self._plugins = {*self._named_plugins()} - {*self._conftests}
        self._registered = self._registrations()
        self._graphs: dict[frozenset[str], Graph] = {}

    def modules(self) -> list[str]:
        """Return the program's test modules."""
        return [path for path in self._tree if is_test_module(path)]

    def of(self, module: str) -> AbstractSet[str] | None:
        """Return the files on which a module's tests depend; None if it may be any file."""
        if stated := STATED.findall(self._tree[module]):
            words = (module, *" ".join(stated).split())
            return {path for path in self._tree if any(_is_at(path, word) for word in words)}
        above = {*map(str, PurePosixPath(module).parents)}
        conftests = [p for p in self._conftests if str(PurePosixPath(p).parent) in above]
        visible = frozenset({*conftests, *self._plugins})
        if visible not in self._graphs:
            self._graphs[visible] = Graph(functools.partial(self._next, visible))
        found = {*conftests}
        for node in (Node(module), *self._always(visible)):
            paths = self._graphs[visible].reach(node)
            if ANYTHING.path in paths:
                return None
            found |= paths
        return found

    def _named_plugins(self) -> Iterator[str]:
        for path in self._conftests:
            for statement in self._sources[path].statements:
                if statement.plugins:
                    for word in statement.words:
                        meant = [*self._layout.meant(word)]
                        for dotted in self._layout.dotted(word):
                            meant += self._layout.imported(dotted)[-1:]
                        yield from (path for path in meant if path in self._sources)

    def _always(self, visible: frozenset[str]) -> Iterator[Node]:
        """Yield what affects tests that do not request it.

        What changes something outside of the project when it is imported, automatic fixtures, and
        hooks, wherever they stand.
        """
        for path, source in self._sources.items():
            shares = path in visible
            if path.startswith("src/") and source.has_effects:
                yield Node(path)
            elif shares or path in self._conftests:
                for number, statement in enumerate(source.statements):
                    hooks = any(name.startswith("pytest_") for name in statement.defines)
                    if statement.every and (shares or hooks):
                        yield Node(path, str(number))

    def _next(self, visible: frozenset[str], node: Node) -> Iterable[Node]:
        if node.path not in self._sources:
            return map(Node, self._layout.below(MIGRATIONS)) if node.path == ALEMBIC else ()
        needs = _needs(self._layout, node, self._tree[node.path])
        found = {*needs.nodes, *self._registered.get(node, ())}
        for path in visible if node.path.startswith(TESTS) else ():
            defined = self._sources[path].defined
            found.update(Node(path, name) for name in needs.fixtures & defined)
        return found

    def _registrations(self) -> Mapping[Node, AbstractSet[Node]]:
        """Return, for each object, the files that modify it when they are imported."""
        found: defaultdict[Node, set[Node]] = defaultdict(set)
        for path, source in self._sources.items():
            for dotted in source.registers_on | source.derives_from:
                for node in [*_imported(self._layout, path, dotted)][-1:]:
                    registry = self._sources[node.path].is_registry
                    if dotted in source.registers_on or registry:
                        found[node].add(Node(path))
                        found[Node(node.path)].add(Node(path))
        return found


class Graph:
    """What can be reached from nodes; each node is visited once."""

    def __init__(self, follow: "functools.partial[Iterable[Node]]") -> None:
        self._follow = follow
        self._edges: dict[Node, tuple[Node, ...]] = {}
        self._reached: dict[Node, frozenset[str]] = {}

    def reach(self, start: Node) -> AbstractSet[str]:
        """Return the paths of all nodes that can be reached."""
        if start not in self._reached:
            seen = {start}
            paths: set[str] = set()
            pending = [start]
            while pending:
                node = pending.pop()
                paths.add(node.path)
                if known := self._reached.get(node):
                    paths |= known
                    continue
                if node not in self._edges:
                    self._edges[node] = tuple(self._follow(node))
                fresh = [other for other in self._edges[node] if other not in seen]
                seen.update(fresh)
                pending += fresh
            self._reached[start] = frozenset(paths)
        return self._reached[start]


@functools.cache
def _layout(paths: frozenset[str]) -> Layout:
    return Layout(paths)


@functools.cache
def _needs(layout: Layout, node: Node, text: str) -> Needs:
    """Return what a node needs in every program with these paths."""
    source = sources.read(text)
    chosen = [*_chosen(node, source)]
    found = {other for s in chosen for other in _needed(layout, node, source, s)}
    fixtures = {name for statement in chosen for name in statement.fixtures}
    return Needs(frozenset(found - {node}), frozenset(fixtures))


def _chosen(node: Node, source: Source) -> Iterator[Statement]:
    """Yield the statements that define a node, and those that modify it."""
    for number, statement in enumerate(source.statements):
        named = node.name in {"", str(number)} or node.name in statement.defines
        touched = node.name in statement.touches
        if named or touched or (statement.every and not statement.defines):
            yield statement


def _needed(layout: Layout, node: Node, source: Source, statement: Statement) -> Iterator[Node]:
    path = node.path
    for name in statement.names:
        if name in source.defined:
            yield Node(path, name)
        if name in source.uses:
            yield from _imported(layout, path, source.uses[name])
    for dotted in statement.imports.values():
        yield from _imported(layout, path, dotted)
    for word in statement.words:
        if word in COMMANDS:
            yield ANYTHING
        for dotted in layout.dotted(word):
            yield from _imported(layout, path, dotted)
        yield from map(Node, layout.meant(ALEMBIC if word == "alembic" else word))
    for word in statement.folders if source.mentions_file else ():
        yield from map(Node, layout.step(path, word))
    if statement.calls and not statement.plugins:
        yield from _listed(layout, source, statement)


def _imported(layout: Layout, path: str, dotted: str) -> Iterator[Node]:
    if dotted.startswith("."):
        level = len(dotted) - len(dotted.lstrip("."))
        above = PurePosixPath(path).parents[level - 1]
        dotted = f"{module_of(f'{above}/__init__.py')}.{dotted.lstrip('.')}"
    *packages, module = layout.imported(dotted) or [""]
    for package in packages:
        yield Node(package, "__init__")
    if module:
        name = dotted.removeprefix(module_of(module)).strip(".").partition(".")[0]
        yield Node(module, name) if name and name != "*" else Node(module)


def _listed(layout: Layout, source: Source, statement: Statement) -> Iterator[Node]:
    """Yield what a statement finds by searching folders."""
    words = {word for other in source.statements for word in other.words}
    if statement.calls & sources.WALKING:
        kinds = {word.strip(".") for word in words}
        modules = layout.below("src")
        some = [path for path in modules if PurePosixPath(path).stem in kinds]
        packages = [path for path in modules if path.endswith("/__init__.py")]
        yield from map(Node, some or modules)
        yield from (Node(path, "__init__") for path in packages)
    elif not statement.calls <= sources.IMPORTING or not any(
        any(layout.dotted(word)) for word in words
    ):
        yield ANYTHING


def _is_at(path: str, word: str) -> bool:
    """Whether a path is the one stated, or below the folder stated."""
    return path == word or (word.endswith("/") and path.startswith(word))


def _is_conftest(path: str) -> bool:
    return path.startswith(TESTS) and PurePosixPath(path).name == "conftest.py"
