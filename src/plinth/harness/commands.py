"""Commands that documents and comments tell a reader to run: they are right as written.

Of `make` each variable is used by the target; of a module of the project each option is one that it
reads; of another program the options are those listed here, each tried once by hand.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from plinth.harness import facts, prose
from plinth.harness.claims import Claim, grouped
from plinth.harness.render import Unit
from plinth.imports import module_of

SHELL = re.compile(r"(?ms)^```sh\n(.*?)^```$")
ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=")
RECIPE = re.compile(r"(?m)^([a-z][\w-]*):(?!=).*\n((?:\t.*\n?)+)")
USED = re.compile(r"\$[({](\w+)[)}]")
OPTION = re.compile(r"^--?[A-Za-z]")
PROGRAMS = {"make", "uv", "uvx", "docker", "python", "alembic", "copier"}
# The options of other programs that documents use. A new one is listed when it has been tried.
OPTIONS: Mapping[str, frozenset[str]] = {
    "docker build": frozenset({"--build-arg"}),
    "docker compose down": frozenset({"--volumes"}),
    "docker compose up": frozenset({"--build", "--wait"}),
    "uv lock": frozenset({"--upgrade-package"}),
    "uv run pytest": frozenset({"-n"}),
    "uvx": frozenset({"--from"}),
}
# Programs, and what they do, that take no option in any document.
PLAIN = frozenset(
    {
        *("alembic upgrade", "copier update", "docker build", "docker compose"),
        *("docker compose port", "uv add", "uv run alembic", "uv run prek", "uv sync"),
    }
)


@dataclass(frozen=True)
class Command:
    """A command as it is written: the variables before it, and its words."""

    variables: Sequence[str]
    words: Sequence[str]

    @property
    def text(self) -> str:
        """Its words as one line."""
        return " ".join(self.words)


def claims(units: Sequence[Unit]) -> Iterator[Claim]:
    """Claim of each command that it can be run as it is written."""
    makefiles = [unit for unit in units if unit.path == "Makefile"]
    code = [unit for unit in units if prose.is_code(unit)]
    words = grouped((word, unit) for unit in code for word in prose.vocabulary(unit))
    modules = grouped(
        ((module_of(unit.path), option), unit)
        for unit in units
        if facts.is_python(unit)
        for option in ["", *re.findall(r'"(--?[a-z][\w-]*)"', unit.text)]
    )
    for unit in units:
        for command in told(unit):
            for name in command.variables:
                sentence = f"says {name}=… before {command.words[0]}, and nothing reads it"
                yield Claim(unit, sentence, words.get(name, []))
            if command.words[0] == "make":
                yield from _make(unit, command, makefiles)
            elif (module := _module(command)) is not None:
                for option in ["", *_options(command.words)]:
                    sentence = f"says python -m {module} {option}".rstrip() + ", no such thing"
                    yield Claim(unit, sentence, modules.get((module, option), []))
            else:
                yield from _foreign(unit, command)


def told(unit: Unit) -> Iterator[Command]:
    """Yield each command in a text: between backticks, or in a block of them."""
    text = prose.prose(unit)
    lines = [line for block in SHELL.findall(text) for line in block.splitlines()]
    for line in dict.fromkeys([*lines, *prose.quoted(text)]):
        if (command := _command(line)) is not None:
            yield command


def _command(line: str) -> Command | None:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    variables: list[str] = []
    while words and (assigned := ASSIGNMENT.match(words[0])):
        variables.append(assigned[1])
        words = words[1:]
    return Command(variables, words) if words and words[0] in PROGRAMS and words[1:] else None


def _make(unit: Unit, command: Command, makefiles: Sequence[Unit]) -> Iterator[Claim]:
    """Claim that each variable is used by the target, or by a variable that it uses."""
    given = [assigned[1] for word in command.words if (assigned := ASSIGNMENT.match(word))]
    for target in (word for word in command.words[1:2] if "=" not in word):
        for name in given:
            users = [by.answers for by in makefiles if name in _used(by, target)]
            sentence = f"says make {target} {name}=…, and {target} does not use {name}"
            yield Claim(unit, sentence, sorted(users, key=len))


def _used(makefile: Unit, target: str) -> set[str]:
    """Return the variables in the recipe of a target, or in a share that others' recipes take."""
    recipes = dict(RECIPE.findall(makefile.text))
    text = recipes.get(target, "") if recipes else makefile.text
    return {*USED.findall(text)}


def _module(command: Command) -> str | None:
    """Return the module of this project that a command runs."""
    words = [*command.words]
    if "-m" not in words or "python" not in words[:3]:
        return None
    name = words[words.index("-m") + 1]
    return name if name.split(".")[0] in {"app", "tools", "migrations", "tests"} else None


def _options(words: Sequence[str]) -> list[str]:
    after = words[words.index("-m") + 2 :] if "-m" in words else words
    return [word.partition("=")[0] for word in after if OPTION.match(word)]


def known_head(text: str) -> str:
    """Return the longest beginning of a command that is known to be valid; empty if none is."""
    known = sorted([*OPTIONS, *PLAIN], key=len, reverse=True)
    return next((head for head in known if f"{text} ".startswith(f"{head} ")), "")


def _foreign(unit: Unit, command: Command) -> Iterator[Claim]:
    """Claim that a command of another program, with these options, is known to be valid."""
    head = known_head(command.text)
    if not head:
        yield Claim(unit, f"says {command.text}, which is not among the commands tried", [])
    for option in _options(command.words):
        if option not in OPTIONS.get(head, ()):
            yield Claim(unit, f"says {head or command.words[0]} {option}, no known option", [])
