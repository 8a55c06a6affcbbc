"""Changes to the text of Python modules: names in their context, statements by their place."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Sequence

from plinth.domain.names import Names
from plinth.errors import StoppedError

ANOTHER_SHAPE = "The example of this service's release has another shape than plinth knows"
STRINGS = {"STRING", "FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END", "COMMENT"}


def renamed(text: str, names: Names, quoted: str) -> str:
    """Return a module about items as one about another domain.

    Names in code, in paths and in prose differ where they have several words. `quoted` is what
    `"items"` by itself becomes: a table's name, or that of a group of routes.
    """
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parts: list[str] = []
    position = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        change: Callable[[str], str] | None = None
        if kind == "NAME" and not token.line[token.start[1] :].startswith("items()"):
            change = _code(names)
        elif kind in STRINGS:
            change = _prose(names, quoted)
        if change:
            start = starts[token.start[0] - 1] + token.start[1]
            end = starts[token.end[0] - 1] + token.end[1]
            parts += [text[position:start], change(text[start:end])]
            position = end
    return "".join([*parts, text[position:]])


def _code(names: Names) -> Callable[[str], str]:
    def change(name: str) -> str:
        name = re.sub(r"(?<![A-Za-z])items(?![a-z])", names.plural, name)
        name = re.sub(r"(?<![A-Za-z])item(?![a-z])", names.singular, name)
        return re.sub(r"Item(?![a-z])", names.model, name)

    return change


def _prose(names: Names, quoted: str) -> Callable[[str], str]:
    code = _code(names)
    many, one = names.many.capitalize(), names.one.capitalize()

    def change(text: str) -> str:
        if text == '"items"':
            return f'"{quoted}"'
        text = text.replace("/items", f"/{names.path}").replace("item-", f"{names.problem}-")
        # What is code in a string: {item.id}, {item_id}, ItemNotFound.
        text = re.sub(r"\{items?\b|\w*_items?\b|\bitems?_\w*|\bItem[A-Z]\w*", _each(code), text)
        text = re.sub(r"\b([Aa])n item\b", rf"\1{names.a[1:]} {names.one}", text)
        for word, other in (("Items", many), ("Item", one), ("items", names.many)):
            text = re.sub(rf"\b{word}\b", other, text)
        return re.sub(r"\bitem\b", names.one, text)

    return change


def _each(change: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    return lambda found: change(found[0])


def swap(text: str, *pairs: tuple[str, str]) -> str:
    """Replace texts that are there once each.

    Raises StoppedError where one is not: the example of the release has another shape.
    """
    for old, new in pairs:
        if text.count(old) != 1:
            raise StoppedError(f"{ANOTHER_SHAPE}: {old!r} is there {text.count(old)} times.")
        text = text.replace(old, new)
    return text


def names_in(text: str) -> set[str]:
    """Return every name that a module uses."""
    return {
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME
    }


def replaced(text: str, wanted: Sequence[str], new: str, within: str = "") -> str:
    """Replace statements that set these names, in a class or in the module itself.

    What is new stands where the first of them was.
    """
    lines = text.splitlines(keepends=True)
    body: Sequence[ast.stmt] = ast.parse(text).body
    if within:
        classes = (node for node in body if isinstance(node, ast.ClassDef))
        body = next(node.body for node in classes if node.name == within)
    found = [node for node in body if _sets(node) in wanted]
    if not found:
        raise StoppedError(
            f"{ANOTHER_SHAPE}: nothing sets {' or '.join(wanted)} in {within or 'a module'}."
        )
    for node in reversed(found):
        end = node.end_lineno or node.lineno
        lines[node.lineno - 1 : end] = [new] if node is found[0] else []
    return "".join(lines)


def without_class(text: str, name: str) -> str:
    """Remove a class, and the empty lines before it; nothing where there is none."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            lines = text.splitlines(keepends=True)
            del lines[node.lineno - 1 : node.end_lineno]
            return "".join(lines)
    return text


def function(text: str, name: str) -> str:
    """Return the text of a function of a module, with its decorators."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return "".join(text.splitlines(keepends=True)[first - 1 : node.end_lineno])
    raise StoppedError(f"{ANOTHER_SHAPE}: there is no {name}.")


def _sets(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""
