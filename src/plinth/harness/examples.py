"""Values in `.env.example`: each equals the default in the code."""

import ast
import json
import re
from collections.abc import Iterator, Sequence

from plinth.harness import facts
from plinth.harness.claims import agree
from plinth.harness.render import Unit
from plinth.harness.space import AnswerSpace

VALUE = re.compile(r"(?m)^(APP_[A-Z0-9_]+)=(.*)$")
# The example is for development; without a setting, a service runs in production.
FOR_DEVELOPMENT = {"APP_ENVIRONMENT": "development"}
MISSING = object()


def problems(units: Sequence[Unit], space: AnswerSpace) -> Iterator[str]:
    """Yield a sentence for each value that is not the code's default with the same answers."""
    declared: dict[str, list[tuple[Unit, object]]] = {}
    for unit in units:
        if facts.is_python(unit) and unit.path.startswith("src/"):
            for name, value in defaults(unit.text):
                declared.setdefault(name, []).append((unit, value))
    seen: set[str] = set()
    for example in units:
        for name, text in VALUE.findall(example.text) if example.path == ".env.example" else ():
            for unit, value in declared.get(name, ()):
                if _together(example, unit, space) and not same(name, text, value):
                    told = f".env.example: {name}={text}, and {unit.path} has {_written(value)}"
                    if told not in seen:
                        seen.add(told)
                        yield told


def defaults(text: str) -> Iterator[tuple[str, object]]:
    """Yield each setting of a module that has a default, with it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and (prefix := facts.prefix(node)):
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    value = _default(line.value)
                    if value is not MISSING:
                        yield f"{prefix}{line.target.id}".upper(), value


def same(name: str, text: str, value: object) -> bool:
    """Whether a variable with this text sets what is the default anyway."""
    if name in FOR_DEVELOPMENT:
        return text == FOR_DEVELOPMENT[name]
    if value in (None, "", []):
        return not text
    try:
        return bool(json.loads(text) == value)
    except json.JSONDecodeError:
        return text == value


def _default(node: ast.expr | None) -> object:
    """Return the value of a field's default, whatever wraps it; MISSING where it has none."""
    if node is None:
        return MISSING
    if isinstance(node, ast.Call):
        named = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
        inner = [*named, *(arg for arg in node.args if not isinstance(arg, ast.Starred))]
        return _default(inner[0]) if inner else MISSING
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return MISSING
    return MISSING if value is ... else value


def _written(value: object) -> str:
    return "nothing" if value is None or value == "" else json.dumps(value)


def _together(first: Unit, second: Unit, space: AnswerSpace) -> bool:
    """Whether a project can have both."""
    both = {**first.answers, **second.answers}
    return agree(first, second) and space.choose().with_all(both) is not None
