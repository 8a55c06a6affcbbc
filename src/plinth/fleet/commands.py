"""`plinth fleet`: many services at once."""

import os
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from plinth import git
from plinth.errors import StoppedError
from plinth.fleet import report, updating
from plinth.fleet.audit import Audit, Step, Wanted, audit, survey
from plinth.fleet.quiet import quietly
from plinth.fleet.rules import PROBLEMS, RULES, UNREADABLE, exit_code
from plinth.service import read_answers

WRONG_USE = 2
# Without a terminal, so many seconds between two lines of progress.
PAUSE = 5.0

app = typer.Typer(no_args_is_help=True, help="Look after many services at once.")
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Places = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH|URL|@LIST…",
        help="Folders, repositories, and files that list them, one a line.",
    ),
]
Jobs = Annotated[int, typer.Option(min=1, help="How many processes work.")]
CPUS = os.cpu_count() or 1


class Format(Enum):
    """How an audit is printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


@app.command("audit")
def audit_(  # noqa: PLR0913 - the command's options
    places: Places,
    *,
    pins: Annotated[
        Path | None, typer.Option(help="A file of answers that each service should have.")
    ] = None,
    to: Annotated[
        str, typer.Option(help="The release that each should have; the newest by default.")
    ] = "",
    max_behind: Annotated[
        int, typer.Option(min=0, help="How many releases a service may be behind.")
    ] = 0,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Work out what the next update would do.")
    ] = False,
    drift: Annotated[
        bool, typer.Option("--drift", help="Compare files with what the template renders.")
    ] = False,
    form: Annotated[
        Format, typer.Option("--format", help="How the result is printed.")
    ] = Format.TABLE,
    jobs: Jobs = CPUS,
    fail_on: Annotated[
        str, typer.Option(help="Ids of rules, with commas between; `all` or `none`.")
    ] = ",".join(sorted(PROBLEMS - {UNREADABLE})),
) -> None:
    """Say what is out of order in services; nothing in them changes, and nothing of them runs.

    Exit codes: 0 in order, 1 a finding, 2 wrong use, 3 some are not readable.
    """
    try:
        failing = rules_of(fail_on)
        wanted = Wanted(read_pins(pins), to, max_behind, drift, rehearse, jobs)
        with progress() as step:
            found = audit(places, wanted, step)
    except StoppedError as error:
        _wrong(error)
    code = exit_code(found.rows, failing)
    show(found, form, code)
    raise typer.Exit(code)


@app.command()
def update(
    places: Places,
    *,
    to: Annotated[
        str, typer.Option(help="The release that each should have; the newest by default.")
    ] = "",
    branch: Annotated[
        str, typer.Option(help="Make a branch of this name with the update in clean checkouts.")
    ] = "",
    jobs: Jobs = CPUS,
) -> None:
    """Print the command that updates each service which is behind, or make branches.

    Exit codes: 0 done, 1 some were not updated, 2 wrong use, 3 some are not readable.
    """
    try:
        if branch:
            check_branch(branch)
        with progress() as step, quietly(), tempfile.TemporaryDirectory(prefix="plinth-") as name:
            found, candidates = survey(places, Wanted(to=to, jobs=jobs), Path(name), step)
            behind = [candidate for candidate in candidates if candidate.row.behind]
            if branch:
                went = [*updating.branch(behind, branch, jobs, Path(name), step)]
            else:
                went = []
                sys.stdout.writelines(f"{updating.command(one)}\n" for one in behind)
    except StoppedError as error:
        _wrong(error)
    unreadable = [row for row in found.rows if row.error]
    for row in unreadable:
        errors.print(f"{row.path}: {row.error}", style="red", markup=False)
    for candidate, outcome in sorted(went, key=lambda pair: pair[0].row.path):
        sys.stdout.write(f"{candidate.row.path}: {outcome.sentence}\n")
    done = sum(outcome.done for _, outcome in went)
    told = f", {done} with the branch {branch}" if branch else ""
    total = len(found.rows) - len(unreadable)
    errors.print(
        f"fleet: {total} services, {len(behind)} behind{told}, {len(unreadable)} unreadable"
    )
    left = branch and done < len(behind)
    raise typer.Exit(3 if unreadable else 1 if left else 0)


def check_branch(name: str) -> None:
    """Raise StoppedError where Git does not allow a branch of this name."""
    try:
        git.run(Path(), "check-ref-format", "--branch", name)
    except StoppedError:
        raise StoppedError(f"{name!r} is no name for a branch.") from None


def _wrong(error: StoppedError) -> NoReturn:
    errors.print(str(error), style="red", markup=False)
    raise typer.Exit(WRONG_USE)


def rules_of(text: str) -> frozenset[str]:
    """Return the rules that make the command fail. Raises StoppedError for an unknown one."""
    named = {word.strip().upper() for word in text.split(",") if word.strip()}
    if named == {"ALL"}:
        return frozenset(RULES)
    if named == {"NONE"}:
        return frozenset()
    if unknown := sorted(named - RULES.keys()):
        raise StoppedError(f"There is no rule {unknown[0]}; there are {', '.join(RULES)}.")
    return frozenset(named)


def read_pins(file: Path | None) -> dict[str, object]:
    """Read pinned answers. Raises StoppedError where the file is not one of answers."""
    if file is None:
        return {}
    if not file.is_file():
        raise StoppedError(f"There is no file {file}.")
    return {**read_answers(file)}


def show(found: Audit, form: Format, code: int) -> None:
    """Print an audit: what machines may read to standard output."""
    if form is Format.JSON:
        sys.stdout.write(report.as_json(found, code))
    elif form is Format.MARKDOWN:
        sys.stdout.write(report.markdown(found))
    else:
        wide = None if sys.stdout.isatty() else 1000  # never cut what is piped
        console = Console(highlight=False, width=wide)
        console.print(report.table(found))
        for line in report.details(found):
            console.print(line, markup=False, soft_wrap=True)
    if form is not Format.MARKDOWN:
        errors.print(report.summary(found), markup=False)


@contextmanager
def progress() -> Generator[Step]:
    """Show how far it is: a bar on a terminal, else a line now and then."""
    if not errors.is_terminal:
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as bar:
        shown = bar.add_task("finding services", total=None)

        def step(name: str, done: int, total: int) -> None:
            bar.update(shown, description=name, completed=done, total=total)

        yield step


class _Lines:
    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, name: str, done: int, total: int) -> None:
        if time.monotonic() - self._said > PAUSE:
            self._said = time.monotonic()
            errors.print(f"{name}: {done} of {total}", markup=False)
