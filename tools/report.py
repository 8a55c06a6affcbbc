"""How the commands of the harness show progress, and end: one line of figures, or JSON."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def command(name: str, description: str | None) -> ArgumentParser:
    """Return a parser for the arguments of `make NAME`, with what every command understands."""
    parser = ArgumentParser(prog=f"make {name}", description=description)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def say(line: str) -> None:
    """Show progress, apart from the report."""
    print(line, file=sys.stderr, flush=True)


def conclude(report: "DataclassInstance", *, failed: bool, as_json: bool) -> NoReturn:
    """Print the report; the exit status says whether anything is wrong."""
    print(json.dumps(asdict(report), indent=2) if as_json else report)
    sys.exit(failed)
