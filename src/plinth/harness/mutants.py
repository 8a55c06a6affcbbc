"""Mistakes, made mechanically in a template, one at a time."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# What a condition guards is taken away, or always there; an include is forgotten.
IF = re.compile(r"\{%(-?) (if|elif) (.+?) (-?)%\}")
INLINE_IF = re.compile(r"(\{[{%][^{}%]*? if )(.+?)( else )")
INCLUDE = re.compile(r"\{% include .+?%\}")
CONDITION = re.compile(r"(?m)^(    \w+: \{\{ )(.+?)( \}\})$")


@dataclass(frozen=True)
class Mutant:
    """A file of the template with one mistake."""

    path: str
    mistake: str
    text: str

    def apply(self, template: Path) -> None:
        """Make the mistake."""
        (template / self.path).write_text(self.text, "utf-8")


def mutants(template: Path) -> Iterator[Mutant]:
    """Yield every mutant of a template."""
    for file in sorted(template.rglob("*")):
        path = file.relative_to(template).as_posix()
        if not file.is_file() or ".git/" in path:
            continue
        text = file.read_text("utf-8")
        if path.startswith(("template/", "extensions/")):
            yield from _conditions(path, text)
        if path == "copier.yml":
            yield from _parts(path, text)
        if path.startswith("extensions/") and _is_data(file):
            yield from _lines(path, text)
        if path.startswith("questions/"):
            yield from _questions(path, text)


def _is_data(file: Path) -> bool:
    """Whether it is a share of a part: a variant is a program, and its own tests are for that."""
    depth = len(file.parts) - file.parts.index("extensions")
    return depth == len(("extensions", "NAME", "KIND")) and not file.suffix


def _conditions(path: str, text: str) -> Iterator[Mutant]:
    for found in IF.finditer(text):
        opening, word, condition, closing = found.groups()
        for mistake, wrong in (("negate", f"not ({condition})"), ("drop", "true")):
            tag = f"{{%{opening} {word} {wrong} {closing}%}}"
            yield _replaced(path, text, found.span(), tag, f"{mistake} {word} {condition}")
    for found in INLINE_IF.finditer(text):
        before, condition, after = found.groups()
        for mistake, wrong in (("negate", f"not ({condition})"), ("drop", "true")):
            tag = f"{before}{wrong}{after}"
            yield _replaced(path, text, found.span(), tag, f"{mistake} if {condition}")
    for found in INCLUDE.finditer(text):
        yield _replaced(path, text, found.span(), "", f"drop {_line(text, found.start())}")


def _parts(path: str, text: str) -> Iterator[Mutant]:
    for found in CONDITION.finditer(text):
        before, condition, after = found.groups()
        for mistake, wrong in (("negate", f"not ({condition})"), ("drop", "true")):
            line = f"{before}{wrong}{after}"
            yield _replaced(path, text, found.span(), line, f"{mistake} {found[0].strip()}")


def _lines(path: str, text: str) -> Iterator[Mutant]:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith(("#", "{%")):
            rest = "".join([*lines[:number], *lines[number + 1 :]])
            yield Mutant(path, f"delete line {number + 1}: {line.strip()}", rest)


def _questions(path: str, text: str) -> Iterator[Mutant]:
    questions: dict[str, dict[str, Any]] = yaml.safe_load(text)
    for name, question in questions.items():
        start = re.search(rf"(?m)^{name}:\n", text)
        if start is None:
            raise ValueError(f"{path} has no line {name}:")
        end = re.compile(r"(?m)^\w").search(text, start.end())
        span = (start.end(), end.start() if end else len(text))
        block = text[slice(*span)]
        for mistake, wrong in _answers(question, block):
            yield _replaced(path, text, span, wrong, f"{name}: {mistake}")


def _answers(question: dict[str, Any], block: str) -> Iterator[tuple[str, str]]:
    """Yield each mistake in a question, with what it then reads."""
    default = r"(?m)^  default: .*\n(?:^   .*\n)*"
    for wrong in _other_defaults(question):
        yield f"default {wrong}", re.sub(default, f"  default: {wrong}\n", block)
    for key in ("validator", "ask"):
        if key in question:
            without = re.sub(rf"(?m)^  {key}: .*\n(?:^   .*\n)*", "", block)
            yield f"drop {key}", without


def _other_defaults(question: dict[str, Any]) -> Sequence[str]:
    """Return the defaults that it could have, in place of its own."""
    if question["type"] == "bool":
        return [text for text in ("true", "false") if text != str(question["default"]).lower()]
    choices: dict[str, str] | list[str] = question.get("choices", [])
    values = list(choices.values()) if isinstance(choices, dict) else choices
    return [f'"{value}"' for value in values if value != question["default"]]


def _replaced(path: str, text: str, span: tuple[int, int], by: str, mistake: str) -> Mutant:
    return Mutant(path, mistake, f"{text[: span[0]]}{by}{text[span[1] :]}")


def _line(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return text[start : text.index("\n", position)].strip()
