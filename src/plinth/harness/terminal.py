"""Commands in pages of documentation: their targets, options, answers, files and routes exist."""

import ast
import itertools
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import typer.main
from typer.core import TyperCommand, TyperGroup

from plinth.cli import app
from plinth.domain import fields
from plinth.domain.names import Names
from plinth.errors import StoppedError
from plinth.harness.command import copier
from plinth.harness.commands import ASSIGNMENT, OPTIONS, RECIPE, USED, known_head
from plinth.harness.pages import Page, Project, names, unreadable
from plinth.harness.space import CUSTOM, PRESETS, AnswerSpace, argument

ROUTES = {"get", "post", "put", "patch", "delete"}
URL = re.compile(r"https?://127\.0\.0\.1:\d+(/[^\s?]*)")
# What these programs do; other words are a mistake in a page.
GIT = {"add", "commit", "diff", "init", "push", "restore", "rm", "rev-parse", "show"}
PLACEHOLDERS = {"…", "NAME=ANSWER", "PATHS", "PLACES", "NAME"}


@dataclass
class Terminal:
    """Where a reader types the commands of a page: a service, or this repository."""

    project: Project
    space: AnswerSpace
    makefiles: Sequence[str]
    repository: Path

    def problems(self, line: str) -> Iterator[str]:
        """Yield what is wrong with a command."""
        words = shlex.split(re.sub(r"<[^>]*>", "ADDRESS", line), comments=True)
        while words and (found := ASSIGNMENT.match(words[0])):
            yield from self._variable(found[1])
            words = words[1:]
        while "&&" in words:
            rest = words.index("&&")
            yield from self.problems(shlex.join(words[:rest]))
            words = words[rest + 1 :]
        if words[:1] == ["uvx"] or words[:2] == ["uv", "run"]:
            words = _run(words)
        checks: Mapping[str, Callable[[list[str]], Iterator[str]]] = {
            "make": self._make,
            "plinth": self._plinth,
            "copier": self._copier,
            "pytest": self._pytest,
            "curl": self._curl,
            "git": self._git,
            "cd": self._nothing,
        }
        yield from checks.get(words[0], self._listed)(words)

    def _variable(self, name: str) -> Iterator[str]:
        texts = [*self.project.tree.values(), *self.makefiles]
        readme = (self.repository / "README.md").read_text("utf-8")
        if not any(re.search(rf"\b{name}\b", text) for text in [*texts, readme]):
            yield f"nothing reads {name}"

    def _make(self, words: list[str]) -> Iterator[str]:
        given = {
            found[1]: word[found.end() :] for word in words if (found := ASSIGNMENT.match(word))
        }
        for target in [word for word in words[1:] if "=" not in word]:
            recipes = [
                r for text in self.makefiles if (r := dict(RECIPE.findall(text)).get(target))
            ]
            if not recipes:
                yield f"there is no target {target}"
            for name in given:
                if recipes and not any(name in USED.findall(self._whole(r)) for r in recipes):
                    yield f"make {target} does not use {name}"
            if target == "update" and "ARGS" in given:
                yield from self._plinth(["plinth", "update", *shlex.split(given["ARGS"])])

    def _whole(self, recipe: str) -> str:
        """Return a recipe with the variables of the Makefiles that it uses."""
        texts = "\n".join(self.makefiles)
        used = "|".join(USED.findall(recipe)) or "-"
        return "\n".join([recipe, *re.findall(rf"(?m)^(?:{used}) :?=.*$", texts)])

    def _plinth(self, words: list[str]) -> Iterator[str]:
        command = cast("TyperGroup | TyperCommand", typer.main.get_command(app))
        rest = words[1:]
        while isinstance(command, TyperGroup) and rest:
            found = command.commands.get(rest[0])
            if found is None:
                yield f"plinth has no {rest[0]}"
                return
            command, rest = cast("TyperGroup | TyperCommand", found), rest[1:]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        for word in rest:
            if word.startswith("-") and word.partition("=")[0] not in known:
                yield f"plinth {command.name} has no {word}"
        yield from self._answers(rest)
        if command.name == "domain" and rest and rest[0].islower():
            yield from self._domain(rest)

    def _domain(self, words: Sequence[str]) -> Iterator[str]:
        singular = words[words.index("--singular") + 1] if "--singular" in words else ""
        try:
            Names.of(words[0], singular)
            fields.parse([word for word in words[1:] if ":" in word])
        except StoppedError as error:
            yield str(error)

    def _answers(self, words: Sequence[str]) -> Iterator[str]:
        """Check what stands behind `--data` or `-d`."""
        values = {**self.space.factors(), "preset": (*PRESETS, CUSTOM)}
        for option, text in itertools.pairwise(words):
            if option in {"--data", "-d"} and text not in PLACEHOLDERS:
                name = text.partition("=")[0]
                legal = [argument(name, value) for value in values.get(name, ())]
                if legal and text not in legal:
                    yield f"{text} is not among {', '.join(legal)}"
                if name not in self.space.questions:
                    yield f"there is no question {name}"

    def _copier(self, words: list[str]) -> Iterator[str]:
        told = _copier_help(words[1])
        for word in words[2:]:
            if word.startswith("-") and not re.search(rf"(?m)^\s+.*{word}\b", told):
                yield f"copier {words[1]} has no {word}"
        yield from self._answers(words)

    def _pytest(self, words: list[str]) -> Iterator[str]:
        for word in words[1:]:
            path = word.partition("::")[0]
            there = self.project.has(path) or (self.repository / path).exists()
            if not there and not word.startswith("-") and not word.isdecimal():
                yield f"there is no {path}"

    def _curl(self, words: list[str]) -> Iterator[str]:
        known = routes(self.project.tree)
        for word in words:
            if (found := URL.match(word)) and found[1] not in known:
                yield f"there is no route {found[1]}"

    def _git(self, words: list[str]) -> Iterator[str]:
        if words[1] not in GIT:
            yield f"git {words[1]} is not among the commands that were tried"

    def _nothing(self, _words: list[str]) -> Iterator[str]:
        return iter(())

    def _listed(self, words: list[str]) -> Iterator[str]:
        """Check a program of which the options are listed in commands.py."""
        text = shlex.join(words)
        head = known_head(text)
        if not head:
            yield f"{text} is not among the commands that were tried"
        for word in words:
            if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in OPTIONS.get(head, ()):
                yield f"{head or words[0]} has no {word}"


def _run(words: Sequence[str]) -> list[str]:
    """Return what `uvx` or `uv run` runs."""
    rest = [*words[1:]] if words[0] == "uvx" else [*words[2:]]
    return rest[2:] if rest[:1] == ["--from"] else rest


@cache
def _copier_help(command: str) -> str:
    done = copier(command, "--help")
    done.check_returncode()
    return done.stdout


def routes(tree: Mapping[str, str]) -> set[str]:
    """Return the paths that routers of a service name, and that of its documentation."""
    found = {"/docs", "/openapi.json"}
    for path, text in tree.items():
        if re.match(r"src/.*\.py$", path) and "APIRouter(" in text:
            found |= {*_routes(ast.parse(text))}
    return found


def _routes(module: ast.Module) -> Iterator[str]:
    prefixes: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            words = [word for word in node.value.keywords if word.arg == "prefix"]
            prefix = "".join(str(ast.literal_eval(word.value)) for word in words)
            prefixes |= {ast.unparse(target): prefix for target in node.targets}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first, router = node.args[0], ast.unparse(node.func.value)
            if node.func.attr in ROUTES and isinstance(first, ast.Constant) and router in prefixes:
                yield f"{prefixes[router]}{first.value}"


def problems(page: Page, terminal: Terminal) -> Iterator[str]:
    """Yield a sentence for whatever is wrong in a page; its blocks are laid over the service."""
    for block in page.blocks():
        told = unreadable(block)
        if not told and page.project is not None and block.language in {"python", "diff"}:
            told = terminal.project.lay(block)
        if told:
            yield f"{block.place}: {told}"
    for place, line in page.commands():
        for told in terminal.problems(line):
            yield f"{place}: {line}: {told}"
    yield from names(page, terminal.project, terminal.repository)
