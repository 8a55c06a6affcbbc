"""The next update of many services: as commands, or as a branch in each clean checkout."""

import shlex
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth import git
from plinth.errors import StoppedError
from plinth.fleet.addresses import for_uv
from plinth.fleet.audit import Candidate, Step
from plinth.fleet.processes import each
from plinth.journal import NAME as JOURNAL
from plinth.journal import Journal
from plinth.service import ANSWERS, Service
from plinth.template import Template
from plinth.update import Plan, Wish, planned


@dataclass(frozen=True)
class Change:
    """An update to make."""

    number: int
    service: Service
    repository: Path
    """The clone of its template."""
    target: str


@dataclass(frozen=True)
class Branching:
    """The updates to make in one repository, each on top of the one before."""

    top: Path
    branch: str
    changes: Sequence[Change]


@dataclass(frozen=True)
class Outcome:
    """How an update went."""

    number: int
    sentence: str
    done: bool


def command(candidate: Candidate) -> str:
    """Return the command that updates a service."""
    row, service = candidate.row, candidate.service
    words = ["uvx", "--from", for_uv(candidate.url), "plinth", "update", row.path]
    words += ["--to", row.target]
    if service.answers_file != ANSWERS:
        words += ["--answers-file", service.answers_file]
    return shlex.join(words)


def branch(
    candidates: Sequence[Candidate], name: str, jobs: int, scratch: Path, step: Step
) -> Iterator[tuple[Candidate, Outcome]]:
    """Make a branch with the update in each checkout; yield how it went."""
    changes: dict[Path, list[Change]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        if candidate.upstream:
            folder = candidate.service.folder
            service = Service(folder, candidate.service.answers_file)
            top = Path(git.text(folder, "rev-parse", "--show-toplevel"))
            place, target = candidate.upstream.repository, candidate.row.target
            changes[top].append(Change(number, service, place, target))
    tasks = [Branching(top, name, listed) for top, listed in changes.items()]
    done = 0
    for outcomes in each(make, tasks, jobs, scratch):
        done += len(outcomes)
        step("making branches", done, len(candidates))
        yield from ((candidates[outcome.number], outcome) for outcome in outcomes)


def make(task: Branching) -> list[Outcome]:
    """Make the branch of a repository; neither its files, its index nor its HEAD change."""
    if why := _hindrance(task):
        return [Outcome(change.number, why, done=False) for change in task.changes]
    tip, outcomes = git.text(task.top, "rev-parse", "HEAD"), list[Outcome]()
    for change in task.changes:
        try:
            plan = _planned(change, tip)
            if not (why := _refusal(plan)):
                tip = _committed(change.service, plan, tip)
                why = f"{task.branch}: {plan.before} to {plan.after}"
                outcomes.append(Outcome(change.number, why, done=True))
                continue
        except StoppedError as error:
            why = str(error)
        outcomes.append(Outcome(change.number, why, done=False))
    if any(outcome.done for outcome in outcomes):
        git.run(task.top, "update-ref", f"refs/heads/{task.branch}", tip, "0" * len(tip))
    return outcomes


def _hindrance(task: Branching) -> str:
    """Return why nothing is done in a repository; empty where nothing speaks against it."""
    if changed := git.text(task.top, "status", "--porcelain"):
        return f"not touched, changes are not committed: {changed.splitlines()[0].strip()}"
    if any(change.service.git_path(JOURNAL).exists() for change in task.changes):
        return "not touched, an update is not finished"
    if git.text(task.top, "for-each-ref", f"refs/heads/{task.branch}"):
        return f"not touched, there is a branch {task.branch} already"
    return ""


def _planned(change: Change, tip: str) -> Plan:
    from plinth.fleet import rendering  # noqa: PLC0415 - as in plinth.fleet.comparing

    with tempfile.TemporaryDirectory() as scratch:
        template = Template(change.repository, change.service.address, rendering)
        renders = template.render(change.service, Path(scratch) / "rendered", to=change.target)
    return planned(change.service, Wish(change.target), template, renders, tip)


def _refusal(plan: Plan) -> str:
    if plan.loses:
        return f"no branch, the update would lose work: {', '.join(plan.losses)}"
    if plan.merge.conflicts:
        return f"no branch, the update has conflicts: {', '.join(plan.merge.conflicts)}"
    return "" if not plan.is_empty else "no branch, nothing to update"


def _committed(service: Service, plan: Plan, parent: str) -> str:
    """Commit an update without a work tree; return the commit."""
    journal = Journal.of(service, plan.merge, plan.before, plan.after)
    title = f"Update the template from {plan.before} to {plan.after}"
    message = "\n\n".join([title, *plan.notices])
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git.run(service.folder, "read-tree", parent, variables=index)
        journal.stage(service, index)
        tree = git.run(service.folder, "write-tree", variables=index).decode().strip()
    return git.text(service.folder, "commit-tree", tree, "-p", parent, "-m", message)
