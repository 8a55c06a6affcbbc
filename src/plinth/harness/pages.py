"""Code blocks, commands and names in pages of documentation: each is checked against a service.

A page that begins with `<!-- project: preset=full -->` is about the service of these answers. Its
blocks of Python begin with the path of the file that they are, its blocks `diff` with `+++ PATH`,
and change that file in exactly one place. Other pages are about this repository, or any service.
"""

import ast
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import yaml

from plinth.harness.prose import quoted

FENCE = re.compile(r"(?ms)^```([^\n`]*)\n(.*?)^```$")
PROJECT = re.compile(r"<!-- project: (.*) -->")
DOMAIN = re.compile(r"<!-- domain: (.*) -->")
FILE = re.compile(r"# (\S+\.\w+)\n")
CHANGED = re.compile(r"\+\+\+ (\S+)\n")
SETTING = re.compile(r"\bAPP_[A-Z0-9_]+\b")
PLACE = re.compile(
    r"(?:src|tests|migrations|tools|docs|template|extensions|app|questions)(?:/[\w.-]+)+/?"
)
# A segment in capitals stands for a name, and `motd` is the example of the guide to parts.
PLACEHOLDER = re.compile(r"/[A-Z]+\b|motd")
COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:make|uv|uvx|docker|alembic|plinth|copier|curl)\s")


@dataclass(frozen=True)
class Block:
    """A block of code: where it is, its language, its text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where it is, for a reader."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A page of documentation."""

    path: str
    text: str

    @property
    def project(self) -> str | None:
        """The answers of the service that it is about, as arguments; None if it is about none."""
        found = PROJECT.search(self.text)
        return found[1] if found else None

    @property
    def domain(self) -> Sequence[str]:
        """The arguments of the domain that the service has besides."""
        found = DOMAIN.search(self.text)
        return found[1].split() if found else ()

    def blocks(self) -> Iterator[Block]:
        """Yield its blocks of code."""
        for found in FENCE.finditer(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            yield Block(self.path, line, found[1].strip(), found[2])

    def commands(self) -> Iterator[tuple[str, str]]:
        """Yield each command with its place, in blocks and between backticks."""
        for block in self.blocks():
            for line in lines(block):
                yield block.place, line
        for span in self.spans():
            if COMMAND.match(f"{span} ") and " " in span:
                yield self.path, span

    def spans(self) -> list[str]:
        """Return what stands between backticks in its prose."""
        return quoted(self.text)


# Records tell of what was, and what enforces them is checked by another test; the example of an
# organisation is files of a template.
APART = ("decisions", "platform-teams/example")


def read_pages(repository: Path) -> list[Page]:
    """Return the README and the pages of the docs that say what is so today."""
    docs = repository / "docs"
    found = (repository / "README.md", *sorted(docs.rglob("*.md")))
    return [
        Page(path.relative_to(repository).as_posix(), path.read_text("utf-8"))
        for path in found
        if not any(path.is_relative_to(docs / folder) for folder in APART)
    ]


@dataclass
class Project:
    """The files of a service; pages add to them."""

    tree: dict[str, str]
    touched: set[str] = field(default_factory=set[str])
    """The files that blocks brought or changed."""

    def has(self, place: str) -> bool:
        """Whether there is such a file or folder; `app/…` is below `src`."""
        paths = (place.strip("/"), f"src/{place.strip('/')}")
        return any(name == p or name.startswith(f"{p}/") for name in self.tree for p in paths)

    def lay(self, block: Block) -> str:
        """Add a file, or change one; return what is wrong, or nothing."""
        if block.language == "python":
            found = FILE.match(block.text)
            if not found:
                return "does not begin with the path of a file"
            path, text = found[1], block.text[found.end() :]
            if path in self.tree:
                return f"would replace {path}"
        else:
            found = CHANGED.match(block.text)
            if not found:
                return "does not begin with +++ and the path of a file"
            path = found[1]
            if path not in self.tree:
                return f"changes {path}, which is not there"
            before, after = sides(block.text[found.end() :])
            if before == after or self.tree[path].count(before) != 1:
                return f"does not change {path} in exactly one place"
            text = self.tree[path].replace(before, after)
        self.tree[path] = text
        self.touched.add(path)
        return ""


def lines(block: Block) -> list[str]:
    """Return the commands of a block."""
    if block.language == "console":
        return [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
    if block.language == "sh":
        return [line for line in block.text.splitlines() if line and not line.startswith("#")]
    return []


def sides(diff: str) -> tuple[str, str]:
    """Return what the lines of a diff are before and after."""
    found = diff.splitlines(keepends=True)
    before = [line[1:] or "\n" for line in found if not line.startswith("+")]
    return "".join(before), "".join(line[1:] or "\n" for line in found if not line.startswith("-"))


def _python(text: str) -> None:
    ast.parse(text)


def _jinja(text: str) -> None:
    jinja2.Environment(autoescape=True).parse(text)


# How a language is read; each raises where a text is none of it.
READERS: Mapping[str, Callable[[str], object]] = {
    "python": _python,
    "yaml": yaml.safe_load,
    "toml": tomllib.loads,
    "": _jinja,
    "diff": sides,
    "console": shlex.split,
    "sh": lambda text: shlex.split(text, comments=True),
    "{raw} html": str,
}


def unreadable(block: Block) -> str:
    """Return why a block is no text of its language, or nothing."""
    if block.language not in READERS:
        return f"is in {block.language}, which nothing checks"
    try:
        READERS[block.language](block.text)
    except (SyntaxError, ValueError, yaml.YAMLError, jinja2.TemplateSyntaxError) as error:
        return f"is no {block.language or 'Jinja'}: {error}"
    return "" if lines(block) or block.language not in {"console", "sh"} else "has no command"


def names(page: Page, project: Project, repository: Path) -> Iterator[str]:
    """Yield a sentence for each file or setting that a page names and nothing has."""
    settings = {name for text in project.tree.values() for name in SETTING.findall(text)}
    texts = [*page.spans(), *(block.text for block in page.blocks() if block.language != "python")]
    for name in sorted({name for text in texts for name in SETTING.findall(text)} - settings):
        if f"{name}*" not in page.text and not name.endswith("_"):
            yield f"{page.path}: names {name}, no setting"
    for span in dict.fromkeys(page.spans()):
        if PLACE.fullmatch(span) and not PLACEHOLDER.search(span):
            template = repository / "template" / span
            there = project.has(span) or (
                page.project is None and ((repository / span).exists() or template.exists())
            )
            if not there:
                yield f"{page.path}: names {span}, which is not there"
