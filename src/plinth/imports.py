"""Which imports of a service an update would break."""

import ast
import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from plinth.trees import File, Tree

# Where modules lie: folders on the path of a service, of its tests and of its tools.
ROOTS = ("src/", "typings/", "")


@dataclass(frozen=True)
class Broken:
    """An import that no longer finds what it names."""

    importer: str
    """The path of the file that imports."""
    module: str
    name: str = ""
    """What the module no longer has; empty where the module itself goes."""
    path: str = ""
    """The file that was the module."""

    def __str__(self) -> str:
        """Return a sentence without its full stop."""
        name = f"{self.name} of {self.module}" if self.name else self.module
        return f"{self.importer} imports {name}"


def broken(before: Tree, after: Tree, skip: Collection[str] = ()) -> list[Broken]:
    """Return the imports that found something before, and find nothing afterwards.

    Files in `skip` are not read: they have conflicts.
    """
    modules = {module_of(path): path for path in before if path.endswith(".py")}
    there = {module_of(path): path for path in after if path.endswith(".py")}
    found: list[Broken] = []
    for path, file in after.items():
        if not path.endswith(".py") or path in skip:
            continue
        for module, name in imported(path, file):
            if module not in modules:
                continue
            was = modules[module]
            if module not in there:
                if any(other.startswith(f"{module}.") for other in there):
                    continue  # what is left is a package without a file of its own
                found.append(Broken(path, module, path=was))
            elif name and f"{module}.{name}" in modules and f"{module}.{name}" not in there:
                found.append(Broken(path, f"{module}.{name}", path=modules[f"{module}.{name}"]))
            elif name in names(before[was]) - names(after[there[module]]) - {""}:
                found.append(Broken(path, module, name, was))
    return sorted(set(found), key=str)


def needed(before: Tree, after: Tree, kept: Collection[str]) -> list[str]:
    """Return the files to keep so that the imports of kept ones find what they name."""
    wanted = {*kept}
    while True:
        tree = {**after, **{path: before[path] for path in wanted if path in before}}
        more = {b.path for b in broken(before, tree) if not b.name and b.importer in tree} - wanted
        if not more:
            return sorted(wanted)
        wanted |= more


def module_of(path: str) -> str:
    """Return the name by which a file of Python, or of types, is imported."""
    root = next(root for root in ROOTS if path.startswith(root))
    name = path.removeprefix(root).removesuffix(".pyi").removesuffix(".py").replace("/", ".")
    return name.removesuffix(".__init__")


def imported(path: str, file: File) -> Iterator[tuple[str, str]]:
    """Yield the modules that a file imports, each with the name that it takes from it or ""."""
    try:
        tree = ast.parse(file.content)
    except (SyntaxError, ValueError):
        return
    package = module_of(path).split(".")
    if PurePosixPath(path).name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((module, alias.name if alias.name != "*" else "") for alias in node.names)


@functools.lru_cache(maxsize=4096)
def names(file: File) -> frozenset[str]:
    """Return the names that a module has for others."""
    try:
        body = ast.parse(file.content).body
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(name for node in body for name in _bound(node))


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)
