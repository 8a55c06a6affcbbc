"""How the commands of the harness show progress, and end: one line of figures, or JSON."""

import json
import re
import sys
from argparse import Action, ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn, TypeVar

from tqdm import tqdm

from plinth.harness.memory import forget
from plinth.harness.servers import Servers

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Item = TypeVar("Item")
# What was left out for want of a server, by the variable that names one.
LEFT_OUT: Counter[str] = Counter()


def command(name: str, description: str | None) -> ArgumentParser:
    """Return a parser for the arguments of `make NAME`, with what every command understands."""
    parser = ArgumentParser(prog=f"make {name}", description=description)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def add_forget(parser: ArgumentParser) -> None:
    """Let a command run what is remembered, too."""
    parser.add_argument(
        "--forget", action=Forget, nargs=0, help="run also what passed before and is unchanged"
    )


class Forget(Action):
    """Empties every memory that is opened later."""

    def __call__(self, *_: object) -> None:
        """Do so."""
        forget()


def pattern(text: str) -> re.Pattern[str]:
    """Read a regular expression. Raises ArgumentTypeError if it is not one."""
    try:
        return re.compile(text)
    except re.error as error:
        raise ArgumentTypeError(f"{text!r} is not a regular expression: {error}") from None


def positive(text: str) -> int:
    """Read a number from 1 upwards. Raises ArgumentTypeError if it is not one."""
    if not (text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not a number from 1 upwards")
    return int(text)


def nothing_matches(parser: ArgumentParser, given: str, known: Iterable[str]) -> NoReturn:
    """End with a sentence: a filter that matches nothing would pass for success."""
    first, *others = sorted({*known}) or ["none at all"]
    more = f" and {len(others)} more" if others else ""
    parser.error(f"nothing matches {given!r}; there is, for example, {first}{more}")


def say(line: str) -> None:
    """Show progress, apart from the report and above the bar, where there is one."""
    tqdm.write(line, sys.stderr)


def progress(found: Iterable[Item], name: str, total: int, unit: str) -> Iterable[Item]:
    """Show by a bar how many of so many there have been, and the time that is left."""
    # In a job's log, one line of the bar per item would hide everything else.
    interval = 0.1 if sys.stderr.isatty() else 10
    return tqdm(found, name, total, unit=unit, mininterval=interval, miniters=1)


def conclude(report: "DataclassInstance", *, failed: bool, as_json: bool) -> NoReturn:
    """Print the report; the exit status says whether anything is wrong."""
    figures = {**asdict(report), "left_out": dict(LEFT_OUT)}
    print(json.dumps(figures, indent=2) if as_json else f"{report}{Servers(left_out=LEFT_OUT)}")
    sys.exit(failed)
