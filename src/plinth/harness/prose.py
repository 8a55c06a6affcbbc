"""Names between backticks, in README and AGENTS, docstrings and comments: the code has them.

A name is a word of code, a module, a path of the project, a setting or a target. What belongs to
other programs (a header of HTTP, a command of Git) is listed here, so that a misspelt one is found.
"""

import ast
import functools
import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from plinth.harness import facts
from plinth.harness.claims import Claim, grouped
from plinth.harness.render import MACHINERY, Unit

SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
FENCE = re.compile(r"(?ms)^```.*?^```$")
NAME = re.compile(r"(?<![\w-])[A-Za-z_]\w*(?:-\w+)*")
PLACE = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|md|yaml|yml|lock|ini)\b")
# What a command is told, not what the project has: see commands.py.
COMMANDS = re.compile(
    r"^(?:[A-Z_]+=\S+ )*(?:make|uv|uvx|docker|python|alembic|copier|openssl|git)\b"
)
# A request, a path that is requested, a URL, its parameters, a type of content.
ROUTE = re.compile(
    r"^(?:(?:GET|POST|PUT|PATCH|DELETE)\b.*|/.*|[a-z+]+://.*|\?\w.*|application/.*)$"
)
# Words of HTTP, and what other programs write or read: nothing in a project has to name them.
FOREIGN = frozenset(
    {
        *("ETag", "If-Match", "If-None-Match", "Link", "Retry-After"),
        "consumer_timeout",  # RabbitMQ's
        "beat",  # Celery's
        "begin",  # SQLAlchemy's
        "crontab",
        "response_model",  # FastAPI's
        "pool_pre_ping",  # SQLAlchemy's
        "lazy",  # SQLAlchemy's; a project without relationships has none
    }
)


def claims(units: Sequence[Unit]) -> Iterator[Claim]:
    """Claim of each name in prose that the code has it."""
    code = [unit for unit in units if is_code(unit)]
    words = grouped((word, unit) for unit in code for word in vocabulary(unit))
    places = grouped((place, unit) for unit in units for place in folders(unit.path))
    for unit in units:
        text = prose(unit)
        own = {word for block in FENCE.findall(text) for word in _split(block)}
        for span in dict.fromkeys(spans(text)):
            for name in set(names(span)) - own:
                yield Claim(unit, f"names `{name}`, which is not in the code", words.get(name, []))
            for place in PLACE.findall(span):
                there = places.get(place.strip("/"), [])
                yield Claim(unit, f"names `{place}`, no file of the project", there)


def is_prose(unit: Unit) -> bool:
    """Whether it is for people to read."""
    return PurePosixPath(unit.path).suffix == ".md"


def prose(unit: Unit) -> str:
    """Return what of a text is for people: all of a document, of a program what explains it."""
    if is_prose(unit):
        return unit.text
    if unit.path.startswith(MACHINERY) or unit.path == "LICENSE":
        return ""
    if facts.is_python(unit):
        return _explanations(unit.text)
    return "\n".join(re.findall(r"#.*", unit.text))


def is_code(unit: Unit) -> bool:
    """Whether a program reads it; what only the harness adds is in no project."""
    return not is_prose(unit) and unit.path != "LICENSE" and not unit.path.startswith(MACHINERY)


def quoted(text: str) -> list[str]:
    """Return what stands between backticks, blocks of code apart."""
    return [re.sub(r"\n\W*", " ", span) for span in SPAN.findall(FENCE.sub("", text))]


def spans(text: str) -> list[str]:
    """Return what stands between backticks and is no command and no route."""
    return [span for span in quoted(text) if not COMMANDS.match(span) and not ROUTE.match(span)]


def names(span: str) -> Iterator[str]:
    """Yield the words of a span that code must have; files, texts and Python's own words apart."""
    plain = re.sub(r"\"[^\"]*\"|'[^']*'|\{[^}]*\}", "", PLACE.sub("", span))
    for name in NAME.findall(plain):
        if name not in FOREIGN and not keyword.iskeyword(name) and not keyword.issoftkeyword(name):
            yield name


def folders(path: str) -> Iterator[str]:
    """Yield a path, each folder that it lies in, and all of them as seen from `src`."""
    file = PurePosixPath(path)
    yield file.name
    for place in (file, *file.parents):
        if place.name:
            yield str(place)
            if place.is_relative_to("src") and place.name != "src":
                yield str(place.relative_to("src"))


def vocabulary(unit: Unit) -> frozenset[str]:
    """Return the words of a file that mean something to a program: no comment is one."""
    text = unit.text
    if facts.is_python(unit):
        return _python_words(text)
    if PurePosixPath(unit.path).suffix == ".py":  # a share
        text = re.sub(r"#.*", "", text)
    elif unit.path != ".env.example":
        text = re.sub(r"(?m)(?:^|\s)#.*", "", text)
    return frozenset(_split(text))


@functools.lru_cache(maxsize=4096)
def _explanations(text: str) -> str:
    """Return the comments and docstrings of a module."""
    if "`" not in text:
        return ""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([*comments, *(str(node.value) for node in _documentation(ast.parse(text)))])


def _documentation(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield each text that stands by itself: a docstring, or what explains a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


@functools.lru_cache(maxsize=4096)
def _python_words(text: str) -> frozenset[str]:
    tree = ast.parse(text)
    docstrings = {id(node) for node in _documentation(tree)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and id(node) not in docstrings:
                found |= _split(node.value)
        else:
            for value in (getattr(node, field, None) for field in ("id", "attr", "name", "arg")):
                found |= {value, *value.split(".")} if isinstance(value, str) else set()
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {*node.module.split(".")}
    # A setting is its class's prefix and the field's name.
    return frozenset(found | {*facts.settings(Unit("", text, {}))})


def _split(text: str) -> set[str]:
    return {*NAME.findall(text), *re.findall(r"\w+", text)}
