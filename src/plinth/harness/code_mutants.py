"""Mistakes made mechanically in the code of a project, one at a time, by mutmut's operators.

Only its operators are used. mutmut itself keeps all mutants of a function beside the original, so
it leaves out functions with a decorator, as the endpoints of a service are.
"""

import ast
import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

SERVICE = "src/"


@dataclass(frozen=True)
class CodeMutant:
    """A file of a project with one mistake, which is on `line`."""

    path: str
    line: int
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        """Return the place and the mistake."""
        return f"{self.path}:{self.line}: {self.before} -> {self.after}"


class _Collector(libcst.CSTVisitor):
    """Collects each node that an operator changes, with what it becomes and its line."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        self.found: list[tuple[libcst.CSTNode, libcst.CSTNode, int]] = []

    def visit_Annotation(self, node: libcst.Annotation) -> bool:  # noqa: N802 - named by libcst
        """Leave out types: they are the type checker's, and most change nothing at run time."""
        del node
        return False

    def visit_Import(self, node: libcst.Import) -> bool:  # noqa: N802 - named by libcst
        """Leave out imports."""
        del node
        return False

    def visit_ImportFrom(self, node: libcst.ImportFrom) -> bool:  # noqa: N802 - named by libcst
        """Leave out imports."""
        del node
        return False

    def visit_Expr(self, node: libcst.Expr) -> bool:  # noqa: N802 - named by libcst
        """Leave out docstrings."""
        return not isinstance(node.value, libcst.SimpleString | libcst.ConcatenatedString)

    def on_visit(self, node: libcst.CSTNode) -> bool:
        """Apply every operator that is for nodes of this kind."""
        if not super().on_visit(node):
            return False
        position = self.get_metadata(PositionProvider, node, None)
        if position is not None:
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    line = position.start.line
                    self.found += [(node, changed, line) for changed in operator(node)]
        return True


class CodeMutants:
    """The mutants of one file; each is made when it is asked for, which takes a while."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text
        self._wrapper = MetadataWrapper(libcst.parse_module(text))
        collector = _Collector()
        self._wrapper.visit(collector)
        self._found = collector.found

    def __len__(self) -> int:
        """How many there are at most."""
        return len(self._found)

    def __getitem__(self, number: int) -> CodeMutant | None:
        """Return one; None where it is no Python, or no change."""
        node, changed, line = self._found[number]
        mutated = self._wrapper.module.deep_replace(node, changed)
        if not isinstance(mutated, libcst.Module) or mutated.code == self._text:
            return None
        try:
            ast.parse(mutated.code)
        except SyntaxError:
            return None
        before, after = _first_difference(self._text, mutated.code)
        return CodeMutant(self._path, line, before, after, mutated.code)


def sampled(tree: Mapping[str, str], size: int, seed: int) -> list[CodeMutant]:
    """Return so many mutants of a project's service, taken at random, or all if there are fewer."""
    files = [
        CodeMutants(path, text)
        for path, text in sorted(tree.items())
        if path.startswith(SERVICE) and path.endswith(".py")
    ]
    places = [(file, number) for file in files for number in range(len(file))]
    random.Random(seed).shuffle(places)  # noqa: S311 - it takes a sample, the same each time
    mutants = (file[number] for file, number in places)
    return [*itertools.islice(filter(None, mutants), size)]


def _first_difference(before: str, after: str) -> tuple[str, str]:
    """Return the first line that differs, as it was and as it is."""
    pairs = itertools.zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    return next(((old.strip(), new.strip()) for old, new in pairs if old != new), ("", ""))
