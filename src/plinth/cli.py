"""The companion command: `uvx --from <the template's address> plinth …`."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markdown import Markdown

from plinth import git
from plinth import update as updates
from plinth.difference import Difference, difference
from plinth.domain import domain as domains
from plinth.domain.fields import TYPES
from plinth.errors import Exit, StoppedError
from plinth.fleet import commands as fleet
from plinth.journal import Journal
from plinth.organisation.cli import app as organisation
from plinth.service import Service
from plinth.template import RECORDED
from plinth.update import Plan, Wish

AGAIN = "plinth update --continue"
BACK = "git restore --source=HEAD --staged --worktree -- ."

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Look after services that were generated from this template.",
)
app.add_typer(fleet.app, name="fleet")
app.add_typer(organisation, name="organisation")
# What is for people; with --json, standard output is for machines alone.
console = Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path, typer.Argument(help="The folder of the service.")]
AnswersFile = Annotated[str, typer.Option(help="The file of answers, where there are several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Answers = Annotated[
    list[str] | None, typer.Option("--data", help="An answer to change: NAME=ANSWER.")
]


class _EndedError(Exception):
    """A command has ended with an exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def main() -> None:
    """Run a command; end with its exit code, and with a sentence where it cannot go on."""
    try:
        app()
    except _EndedError as ended:
        sys.exit(ended.code)
    except StoppedError as error:
        _stop(str(error), error.code)
    except SystemExit as error:
        wrong_use = 2  # Typer's code for it, which means "nothing to do" for a single service
        for_one = sys.argv[1:2] != ["fleet"]
        sys.exit(Exit.FAILED if for_one and error.code == wrong_use else error.code)


def _stop(sentence: str, code: Exit) -> NoReturn:
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"status": code.name.lower(), "error": sentence}) + "\n")
    console.print(sentence, style="red", markup=False)
    sys.exit(code)


@app.command()
def update(  # noqa: PLR0913 - the command's options
    folder: Folder = Path(),
    *,
    to: Annotated[
        str, typer.Option(help="A release of the template, or `current`; the newest by default.")
    ] = "",
    data: Answers = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="A file to leave as it is; can be repeated.")
    ] = None,
    answers_file: AnswersFile = "",
    checks: Annotated[
        bool, typer.Option("--checks/--no-checks", help="Lock, check and test afterwards.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    resume: Annotated[
        bool, typer.Option("--continue", help="Go on after conflicts are resolved.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Merge a release of the template into a service.

    Exit codes: 0 updated, 2 nothing to do, 3 conflicts, 4 would lose work, 5 checks failed,
    1 anything else.
    """
    service = Service.found(folder, answers_file)
    service.require_repository()
    if (journal := Journal.found(service)) and not journal.written:
        console.print("Finishing an update that was interrupted.")
        journal.write(service)
    if journal and not resume and service.is_clean():
        journal.forget(service)  # it was committed, or taken back
        journal = None
    if journal or resume:
        _resume(service, journal, checks=checks, as_json=as_json, asked=resume)
    service.require_clean()
    wish = Wish(RECORDED if to == "current" else to, answers_of(data or []), keep or [])
    with console.status("Rendering the releases"):
        plan = updates.plan(service, wish)
    if plan.is_empty:
        _end(plan, Exit.NOTHING_TO_DO, f"Nothing to update: this is {plan.before}.", as_json)
    _tell(plan)
    if plan.loses:
        _end(plan, Exit.WOULD_LOSE_WORK, loses(plan), as_json)
    if dry_run:
        said = f"{plan.before} to {plan.after}: {summary(plan)}. Nothing was written."
        _end(plan, Exit.UPDATED, said, as_json)
    journal = updates.write(service, plan)
    if plan.merge.conflicts:
        _end(plan, Exit.CONFLICTS, conflicts([*plan.merge.conflicts]), as_json)
    _finish(service, journal, plan, checks=checks, as_json=as_json)


def answers_of(data: list[str]) -> dict[str, str]:
    """Read answers from `NAME=ANSWER`. Raises StoppedError for anything else."""
    for text in data:
        if "=" not in text:
            raise StoppedError(f"--data takes NAME=ANSWER, not {text!r}.")
    return dict(text.split("=", 1) for text in data)


def _resume(
    service: Service, journal: Journal | None, *, checks: bool, as_json: bool, asked: bool
) -> NoReturn:
    if journal is None:
        raise StoppedError("There is no update to continue.")
    left = updates.unresolved(service, journal)
    if left:
        _end(None, Exit.CONFLICTS, conflicts(left), as_json)
    if not asked and journal.stages:
        raise StoppedError(
            f"An update to {journal.after} waits: finish it by {AGAIN}, or go back by {BACK}"
        )
    git.run(service.folder, "add", "--all", "--", *existing(service, journal))
    _finish(service, journal, None, checks=checks, as_json=as_json)


def existing(service: Service, journal: Journal) -> list[str]:
    """Return the files of an update that can be staged."""
    return [path for path in journal.files if (service.folder / path).exists()] or ["."]


def _finish(
    service: Service, journal: Journal, plan: Plan | None, *, checks: bool, as_json: bool
) -> NoReturn:
    done = f"Updated from {journal.before} to {journal.after}"
    journal.forget(service)
    if not checks:
        _end(plan, Exit.UPDATED, f"{done}. Read git diff --staged, then commit.", as_json)
    output = sys.stderr if as_json else sys.stdout
    if failed := updates.check(service, output):
        said = f"{done}, but `{failed}` failed: see above. The way back: {BACK}"
        _end(plan, Exit.CHECKS_FAILED, said, as_json)
    said = f"{done}: no conflicts, all checks and tests pass. Read git diff --staged, then commit."
    _end(plan, Exit.UPDATED, said, as_json)


def _tell(plan: Plan) -> None:
    if plan.changes:
        console.print(Markdown(plan.changes), soft_wrap=False)
    for name, (before, after) in plan.answers.items():
        was = "new" if before is None else f"was {before}"
        console.print(f"answer: {name}={after} ({was})", markup=False)
    merge = plan.merge
    for old, new in merge.carried.items():
        console.print(f"moved: the edits of {old} are in {new}", markup=False)
    for path in merge.dropped:
        console.print(f"deleted here, changed by the release: {path} (plinth diff)", markup=False)
    for edge in plan.renamed:
        console.print(f"look at: {edge}, which the release no longer has", markup=False)
    for notice in plan.notices:
        console.print(f"notice: {notice}", style="yellow", markup=False)


def summary(plan: Plan) -> str:
    """Return how many files change."""
    merge = plan.merge
    return (
        f"{len(merge.changed)} files written, {len(merge.deleted)} deleted, "
        f"{len(merge.conflicts)} with conflicts"
    )


def conflicts(paths: list[str]) -> str:
    """Return what to do about conflicts."""
    listed = "".join(f"  {path}\n" for path in paths)
    return f"Conflicts in:\n{listed}Resolve them, then run {AGAIN}. The way back: {BACK}"


def loses(plan: Plan) -> str:
    """Return what would be lost, and the ways on."""
    told = ""
    if plan.lost:
        told += "The update would take away what was written here in:\n"
        told += "".join(f"  {path}\n" for path in plan.lost)
    if plan.broken:
        told += "The update would take away what is imported here:\n"
        told += "".join(f"  {edge} ({edge.path})\n" for edge in plan.broken)
    options = shlex.join(word for path in plan.keep for word in ("--keep", path))
    return (
        f"{told}Nothing has changed. Keep files as they are by: {options}\n"
        "or remove what is no longer wanted yourself (git rm), commit, and run it again."
    )


def _end(plan: Plan | None, code: Exit, sentence: str, as_json: bool) -> NoReturn:  # noqa: FBT001 - internal
    if as_json:
        report = {
            "status": code.name.lower(),
            "message": sentence,
            **(report_of(plan) if plan else {}),
        }
        sys.stdout.write(json.dumps(report, default=str) + "\n")
    console.print(sentence, markup=False)
    raise _EndedError(code)


def report_of(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON has it."""
    merge = plan.merge
    return {
        "from": plan.before,
        "to": plan.after,
        "answers": {name: after for name, (_, after) in plan.answers.items()},
        "written": sorted(merge.changed),
        "deleted": sorted(merge.deleted),
        "conflicts": sorted(merge.conflicts),
        "moved": merge.carried,
        "kept": merge.kept,
        "deleted_here": merge.dropped,
        "would_lose": plan.lost,
        "would_break": [str(edge) for edge in plan.broken],
        "renamed": [str(edge) for edge in plan.renamed],
        "keep": plan.keep,
        "notices": plan.notices,
    }


@app.command()
def diff(  # noqa: PLR0913 - the command's options
    before: Annotated[str, typer.Argument(metavar="[FROM]")] = "",
    after: Annotated[str, typer.Argument(metavar="[TO]")] = "",
    *,
    folder: Annotated[Path, typer.Option(help="The folder of the service.")] = Path(),
    data: Answers = None,
    answers_file: AnswersFile = "",
    summary_only: Annotated[bool, typer.Option("--summary", help="Only which files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a release changes for the answers of a service.

    From the service's release to the newest one, unless releases are named.
    """
    service = Service.found(folder, answers_file)
    with console.status("Rendering the releases"):
        found = difference(service, before, after, answers_of(data or []))
    sys.stdout.write(_shown(found, summary_only=summary_only, as_json=as_json))
    console.print(f"diff: {found.before} to {found.after}, {len(found.files)} files differ")


def _shown(found: Difference, *, summary_only: bool, as_json: bool) -> str:
    if as_json:
        return json.dumps({"from": found.before, "to": found.after, "files": found.files}) + "\n"
    return found.summary if summary_only else found.patch


@app.command()
def domain(  # noqa: PLR0913 - the command's options
    name: Annotated[str, typer.Argument(help="The domain, in the plural: invoices.")],
    fields: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIELD:TYPE]...",
            help=f"Types: {', '.join(TYPES)}. A ? behind the type: may be null.",
        ),
    ] = None,
    *,
    folder: Annotated[Path, typer.Option(help="The folder of the service.")] = Path(),
    singular: Annotated[str, typer.Option(help="What one of them is called.")] = "",
    answers_file: AnswersFile = "",
    revision: Annotated[
        bool, typer.Option("--revision/--no-revision", help="Write the revision of the table.")
    ] = True,
    checks: Annotated[
        bool, typer.Option("--checks/--no-checks", help="Check and test afterwards.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Write a new domain: router, schemas, model, service, errors, tests, and its revision.

    Exit codes: 0 written, 2 it is there already, 3 something is left to do by hand, 5 the revision,
    the checks or the tests failed, 1 anything else, and nothing has changed.
    """
    service = Service.found(folder, answers_file)
    service.require_repository()
    with console.status("Rendering the example of the service's release"):
        found = domains.plan(service, name, fields or [], singular)
    if found.is_there:
        said = f"Nothing to do: {name} is there."
        _conclude(found, Exit.NOTHING_TO_DO, said, as_json=as_json)
    domains.write(service, found)
    names = found.domain.names
    done = f"{name} is written, {len(found.new)} files; one of them is {names.a} {names.one}"
    _tell_domain(found)
    if found.by_hand:
        left = "".join(f"\n  {line}" for line in found.by_hand)
        command = shlex.join(domains.revision(names))
        said = f"{done}. Left to you:{left}\nthen {command}, make check, make test."
        _conclude(found, Exit.CONFLICTS, said, as_json=as_json)
    output = sys.stderr if as_json else sys.stdout
    commands = [domains.revision(names)] if revision else []
    commands += [("make", "check"), ("make", "test")] if checks else []
    for command in commands:
        if not updates.run(service, command, output):
            said = f"{done}, but `{shlex.join(command)}` failed: see above."
            _conclude(found, Exit.CHECKS_FAILED, said, as_json=as_json)
    if not revision:
        done += f". Its revision: {shlex.join(domains.revision(names))}"
    said = f"{done}{': all checks and tests pass' if checks else ''}. Read git diff, then commit."
    _conclude(found, Exit.UPDATED, said, as_json=as_json)


def _tell_domain(found: domains.Plan) -> None:
    for path in sorted(found.new):
        console.print(f"new: {path}", markup=False)
    for path in sorted(found.changed):
        console.print(f"changed: {path}", markup=False)
    if found.domain.references and found.domain.answers.get("cache", "none") != "none":
        console.print("not cached: rows with references may change behind the cache's back")


def _conclude(found: domains.Plan, code: Exit, sentence: str, *, as_json: bool) -> NoReturn:
    if as_json:
        report = {
            "status": code.name.lower(),
            "message": sentence,
            "written": [] if found.is_there else sorted({**found.new, **found.changed}),
            "by_hand": found.by_hand,
        }
        sys.stdout.write(json.dumps(report) + "\n")
    console.print(sentence, markup=False)
    raise _EndedError(code)
