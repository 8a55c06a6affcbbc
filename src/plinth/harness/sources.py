"""What a Python file contains: what each of its statements defines, uses and names."""

import ast
import functools
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

# Statements that only bind names of their own module.
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
QUIET = (*DEFINITIONS, ast.Import, ast.ImportFrom)
# The files that these find cannot be determined from the source.
LISTING = {"iterdir", "listdir", "scandir", "walk"}
GLOBBING = {"glob", "rglob", "iglob"}
PATHS = {"Path", "PurePath", "joinpath", "open", "join", "with_name"}
IMPORTING = {"import_module", "__import__"}
WALKING = {"walk_packages", "iter_modules"}
# Decorators of these modules register nothing.
PLAIN = {"contextlib", "dataclasses", "functools", "pytest", "typing", "hypothesis", "pydantic"}
# A base class in such a file knows the classes that derive from it.
REGISTRY = ("DeclarativeBase", "SQLModel", "__init_subclass__", "__subclasses__")


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a module."""

    defines: frozenset[str]
    names: frozenset[str]
    fixtures: frozenset[str]
    """The fixtures that it requests, if they exist."""
    touches: frozenset[str]
    """The names of objects that it may modify: its decorators, and what it calls."""
    imports: Mapping[str, str]
    """What it imports anywhere inside, by the bound name."""
    words: frozenset[str]
    """Its string literals."""
    folders: frozenset[str]
    """String literals that are a part of a path."""
    calls: frozenset[str]
    """The last names of calls whose argument cannot be determined from the source."""
    every: bool = False
    """Whether it affects every test: a pytest hook, an autouse fixture, plain code."""
    plugins: bool = False
    """Whether it names pytest plug-ins."""


@dataclass(frozen=True)
class Source:
    """A Python file."""

    statements: tuple[Statement, ...]
    registers_on: frozenset[str] = field(default_factory=frozenset[str])
    """The objects, as dotted names, that importing this module modifies."""
    derives_from: frozenset[str] = field(default_factory=frozenset[str])
    has_effects: bool = False
    """Whether importing it changes something outside of the project."""
    uses: Mapping[str, str] = field(default_factory=dict[str, str])
    """What it imports at the top level, by the bound name."""
    is_registry: bool = False
    mentions_file: bool = False

    @functools.cached_property
    def defined(self) -> frozenset[str]:
        """All names that it defines, except imports."""
        return frozenset(name for statement in self.statements for name in statement.defines)


@functools.cache
def read(text: str) -> Source:
    """Parse a file. Raises SyntaxError if it is not Python."""
    body = ast.parse(text).body
    imports = {
        name: dotted
        for node in body
        if not isinstance(node, DEFINITIONS)
        for name, dotted in _imports(node)
    }
    registrations = {imports[r] for node in body for r in _touched(node) if r in imports}
    # A fixture created by a call cannot be recognised by its function.
    loose = bool(re.search(r"(?<!@)pytest\.fixture|(?<![.\w])fixture\(", text))
    foreign = {dotted for dotted in registrations if not _is_quiet(dotted)}
    return Source(
        tuple(_statement(node, loose=loose) for node in body if not _is_docstring(node)),
        registers_on=frozenset(foreign),
        derives_from=frozenset(imports[root] for root in _bases(body) if root in imports),
        has_effects=any(map(_has_effects, body)),
        uses=imports,
        is_registry=any(word in text for word in REGISTRY),
        mentions_file="__file__" in text,
    )


def _statement(node: ast.stmt, *, loose: bool) -> Statement:
    inside = [*_walk(node)]
    bound = frozenset(_bound(node))
    calls = {_unclear(inner) for inner in inside if isinstance(inner, ast.Call)}
    return Statement(
        defines=bound,
        names=frozenset(inner.id for inner in inside if isinstance(inner, ast.Name)),
        fixtures=frozenset(name for inner in inside for name in _asked(inner, loose=loose)),
        imports=dict(_imports(node)),
        touches=frozenset(_touched(node)),
        words=frozenset(_constants(inside)),
        folders=frozenset(name for inner in inside for name in _steps(inner)),
        calls=frozenset(calls - {""}),
        every=_is_for_every_test(node, bound),
        plugins="pytest_plugins" in bound,
    )


def _constants(inside: Iterable[ast.AST]) -> Iterator[str]:
    for inner in inside:
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _steps(node: ast.AST) -> Iterator[str]:
    """Yield string literals that are a part of a path."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield from _constants([node.left, node.right])
    if isinstance(node, ast.Call) and _last(node.func) in PATHS:
        yield from _constants(node.args)


def _asked(node: ast.AST, *, loose: bool) -> Iterator[str]:
    """Yield the names of the fixtures that a test or a fixture requests."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        is_fixture = any("fixture" in ast.dump(decorator) for decorator in node.decorator_list)
        if loose or is_fixture or node.name.startswith(("test", "pytest_")):
            arguments = node.args
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                yield argument.arg
    if isinstance(node, ast.Call) and _last(node.func) in {"usefixtures", "getfixturevalue"}:
        yield from _constants(node.args)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk over everything but docstrings, which use nothing."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        children = [*ast.iter_child_nodes(current)]
        if isinstance(current, DEFINITIONS) and children:
            children = [child for child in children if not _is_docstring(child)]
        pending += children


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            for alias in inner.names:
                top = alias.name.partition(".")[0]
                # `import a.b` binds `a`; through it all of `a.b` may be used.
                yield alias.asname or alias.name, alias.name
                if not alias.asname:
                    yield top, alias.name
        elif isinstance(inner, ast.ImportFrom):
            base = "." * inner.level + (inner.module or "")
            for alias in inner.names:
                yield alias.asname or alias.name, f"{base}.{alias.name}"


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement defines, except imports."""
    if isinstance(node, DEFINITIONS):
        yield node.name
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def _unclear(call: ast.Call) -> str:
    """Return the name of a called function whose first argument is no literal."""
    name = _last(call.func)
    if name in LISTING | WALKING:
        return name
    clear = bool(call.args) and isinstance(call.args[0], ast.Constant)
    if name in {*GLOBBING, *IMPORTING, "getfixturevalue"} and not clear:
        return name
    return ""


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _touched(node: ast.stmt) -> Iterator[str]:
    """Yield the names of objects that a top-level statement may modify."""
    if isinstance(node, DEFINITIONS):
        yield from map(_root, node.decorator_list)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (_root(target) for target in targets if not isinstance(target, ast.Name))
    elif not isinstance(node, QUIET):
        yield from (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))


def _bases(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from map(_root, node.bases)


def _is_quiet(dotted: str) -> bool:
    top = dotted.partition(".")[0]
    return top in PLAIN or top in sys.stdlib_module_names


def _has_effects(node: ast.stmt) -> bool:
    """Whether a statement may change more than its own module and what registers it."""
    if isinstance(node, QUIET) or _is_docstring(node):
        return False
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return not all(isinstance(t, ast.Name | ast.Tuple) for t in targets)
    if isinstance(node, ast.If) and _root(node.test) == "TYPE_CHECKING":
        return False
    # The body of `if __name__ == "__main__"` only runs in a process of its own.
    is_main = isinstance(node, ast.If) and "__main__" in ast.dump(node.test)
    return not is_main


def _is_for_every_test(node: ast.stmt, bound: frozenset[str]) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        automatic = any("autouse" in ast.dump(decorator) for decorator in node.decorator_list)
        return automatic or node.name.startswith("pytest_")
    named = {"pytestmark", "collect_ignore", "collect_ignore_glob"}
    return _has_effects(node) or not named.isdisjoint(bound)


def prefixes(dotted: str) -> Iterator[str]:
    """Yield a dotted name's packages, from the top, and the name itself."""
    return itertools.accumulate(dotted.split("."), "{}.{}".format)
