"""`plinth organisation`: a template of one's own, built on releases of ours."""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from plinth.errors import Exit, StoppedError
from plinth.organisation.repository import Repository
from plinth.organisation.upgrade import CURRENT, start
from plinth.organisation.upgrade import upgrade as upgraded

app = typer.Typer(
    no_args_is_help=True, help="Keep an organisation's template, built on releases of this one."
)
console = Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path, typer.Argument(help="The folder of the organisation's template.")]
Adapted = Annotated[
    list[str] | None,
    typer.Option(help="An own file that suits the release, though it replaces a changed one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def init(
    folder: Folder,
    *,
    name: Annotated[str, typer.Option(help="What the organisation is called.")],
    upstream: Annotated[str, typer.Option(help="The address of the template to build on.")],
    release: Annotated[str, typer.Option(help="Its release; the newest by default.")] = "",
    as_json: AsJson = False,
) -> None:
    """Start an organisation's template, in a repository of its own."""
    with console.status("Fetching the releases"):
        made = start(folder, name, upstream, release)
    built_on = made.definition.release
    _end(
        f"{name}'s template is in {folder}, built on {built_on}. Edit organisation.toml and "
        "organisation/, commit, then release it by plinth organisation upgrade.",
        as_json=as_json,
        status="started",
        upstream=built_on,
    )


@app.command()
def upgrade(
    folder: Folder = Path(),
    *,
    to: Annotated[
        str, typer.Option(help="A release to build on, or `current`; the newest by default.")
    ] = "",
    adapted: Adapted = None,
    as_json: AsJson = False,
) -> None:
    """Bring a release into the organisation's template, and tag the organisation's own.

    Exit codes: 0 released, 2 nothing to release, 3 own files take the place of changed ones,
    1 anything else.
    """
    with console.status("Assembling"):
        found = upgraded(Repository.found(folder), to, adapted or ())
    if found is None:
        raise StoppedError("There is nothing to release.", Exit.NOTHING_TO_DO)
    _end(
        f"Released {found.release}, built on {found.after} with {found.own} own files. "
        "Publish it: git push && git push --tags",
        as_json=as_json,
        status="released",
        before=found.before,
        upstream=found.after,
        release=found.release,
    )


@app.command()
def check(  # noqa: PLR0913 - the command's options
    folder: Folder = Path(),
    *,
    to: Annotated[str, typer.Option(help="A release to build on.")] = CURRENT,
    adapted: Adapted = None,
    programs: Annotated[
        bool, typer.Option("--programs/--no-programs", help="Run services' tests.")
    ] = True,
    updates: Annotated[
        bool, typer.Option("--updates/--no-updates", help="Update services that were edited.")
    ] = True,
    strength: Annotated[
        int, typer.Option(help="Run programs that cover each choice of so many answers.", max=3)
    ] = 1,
    sample: Annotated[
        int, typer.Option(help="Whole texts to look at of a file that has too many.", min=1)
    ] = 1000,
    as_json: AsJson = False,
) -> None:
    """Rehearse a release: check all that it can render, run programs, update edited services.

    Exit codes: 0 no problem, 5 problems, 3 own files take the place of changed ones, 1 anything
    else.
    """
    repository = Repository.found(folder)
    try:
        # It is an extra, which those who only release do not need.
        from plinth.harness import organisation as harness  # noqa: PLC0415
    except ImportError as error:
        raise StoppedError(
            f"{error.name} is not installed: uv run plinth organisation check, in the template's "
            "folder, brings it along."
        ) from error
    given = harness.Given(to, adapted or (), programs, updates, strength, sample)
    with tempfile.TemporaryDirectory(prefix="plinth-") as scratch:
        found = harness.check(
            repository,
            given,
            Path(scratch),
            sys.stderr,
            lambda line: console.print(f"check: {line}"),
        )
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(found)) + "\n")
    for problem in found.problems:
        console.print(problem, markup=False)
    console.print(str(found), markup=False)
    if found.problems:
        raise typer.Exit(Exit.CHECKS_FAILED)


def _end(message: str, *, as_json: bool, status: str, **figures: object) -> None:
    if as_json:
        report = {"status": status, "message": message, **figures}
        sys.stdout.write(json.dumps(report) + "\n")
    console.print(message, markup=False)
