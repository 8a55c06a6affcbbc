"""The harness over an organisation's template: what it renders, its programs, and its updates."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import copier

from plinth import git
from plinth import update as updates
from plinth.errors import StoppedError
from plinth.harness.coverage import covering_array
from plinth.harness.edits import EDITS, Insertion, make_edits
from plinth.harness.hints import HintError, Hints
from plinth.harness.programs import Programs
from plinth.harness.project import clean_environment
from plinth.harness.runner import Runner
from plinth.harness.servers import ServerMissingError, Servers
from plinth.harness.source import copy_template, isolated
from plinth.harness.space import Answers
from plinth.harness.survey import SAMPLE, Survey
from plinth.organisation.repository import UPSTREAM, Repository
from plinth.organisation.upgrade import CURRENT, upgrade
from plinth.service import Service
from plinth.template import QUIET
from plinth.update import Wish, plan

Say = Callable[[str], None]
# So much of what a failing test printed is shown.
SHOWN = 3000


@dataclass(frozen=True)
class Report:
    """The figures of a check, and what is wrong."""

    combinations: int
    texts: int
    programs: int
    left_out: int
    """Programs that need a server which is not there."""
    tests: int
    updates: int
    edits: int
    problems: list[str]
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        return (
            f"check: {self.combinations} combinations, {self.texts} texts, "
            f"{self.programs} programs with {self.tests} tests "
            f"({self.left_out} more need a server that is not there), "
            f"{self.updates} updates of a service with {self.edits} edits: "
            f"{len(self.problems)} problems, {self.seconds:.0f} s"
        )


def check(
    repository: Repository, given: "Given", scratch: Path, output: TextIO, say: Say
) -> Report:
    """Rehearse a release in a clone: look at all texts, run programs, update edited services.

    What the checks of services print goes to `output`. Raises StoppedError where the release cannot
    be made, or a server is not there that should be.
    """
    started = time.monotonic()
    with isolated(scratch):
        say("assembling")
        clone, release = _rehearsed(repository, given, scratch / "clone")
        template = copy_template(scratch / "template", clone.folder)
        try:
            hints = Hints.read(template)
            survey = Survey(template, hints, given.sample)
            say(f"{len(survey.space)} combinations: rendering and checking")
            problems = [*survey.problems()]
            programs = _Programs()
            if given.programs:
                say("running programs")
                programs = _run(survey, hints, given.strength)
        except (HintError, ServerMissingError) as error:
            raise StoppedError(str(error)) from error
        updated: list[_Update] = []
        if given.updates:
            say("updating services that were edited")
            updated += _updates(clone, release, scratch, output)
    return Report(
        combinations=len(survey.space),
        texts=sum(len({found.result for found in bodies.found}) for bodies in survey.bodies),
        programs=programs.run,
        left_out=programs.left_out,
        tests=programs.tests,
        updates=len(updated),
        edits=sum(len(update.edited) for update in updated),
        problems=[
            *problems,
            *programs.problems,
            *(problem for update in updated for problem in update.problems),
        ],
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True)
class Given:
    """What is checked, and how closely."""

    to: str = CURRENT
    """The release of ours to build on."""
    adapted: Sequence[str] = ()
    """As in `upgrade`."""
    programs: bool = True
    """Whether programs run their tests."""
    updates: bool = True
    """Whether services that were edited are updated."""
    strength: int = 1
    """That of the covering array of programs; the defaults, all parts on and all off run too."""
    sample: int = SAMPLE
    """How many whole texts there are of a file that has too many."""


def _rehearsed(repository: Repository, given: Given, into: Path) -> tuple[Repository, str]:
    """Release in a clone; return it, and the version."""
    repository.require_clean()
    git.run(into.parent, "clone", "--quiet", str(repository.folder), str(into))
    git.run(into, "fetch", "--quiet", "origin", f"+{UPSTREAM}*:{UPSTREAM}*")
    for key, value in QUIET.items():
        git.run(into, "config", key, value)
    clone = Repository.found(into)
    made = upgrade(clone, given.to, given.adapted)
    return Repository.found(into), made.release if made else clone.own_releases()[-1]


@dataclass(frozen=True)
class _Programs:
    run: int = 0
    left_out: int = 0
    tests: int = 0
    problems: list[str] = field(default_factory=list[str])


def _run(survey: Survey, hints: Hints, strength: int) -> _Programs:
    """Run the tests of programs; those that need a server that is not there are left out."""
    programs = Programs(survey)
    few = [survey.space.combination(), survey.most, survey.least]
    rows = [*few, *(covering_array(survey.space, strength) if strength else ())]
    with ExitStack() as stack:
        servers = stack.enter_context(Servers.opened(hints))
        runner = stack.enter_context(Runner.started(programs, os.cpu_count() or 1, hints))
        found = {program.key: program for program in map(programs.of, rows)}.values()
        chosen = [p for p in found if not servers.leave_out(survey.renderer, p.answers)]
        outcomes = [*runner.run_all((program, ()) for program in chosen)]
    failed = [
        f"{_told(outcome.program.answers)}: {', '.join(outcome.failed) or 'no tests'} failed\n"
        f"{outcome.log[-SHOWN:]}"
        for outcome in outcomes
        if not outcome.passed
    ]
    tests = sum(outcome.tests for outcome in outcomes)
    return _Programs(len(chosen), len(found) - len(chosen), tests, failed)


def _told(answers: Answers) -> str:
    return " ".join(f"{name}={answer}" for name, answer in answers.items())


@dataclass(frozen=True)
class _Update:
    edited: list[str]
    problems: list[str]


def _updates(
    template: Repository, release: str, scratch: Path, output: TextIO
) -> Iterator[_Update]:
    """Update edited services to a release: from ours, and from the own release before."""
    definition = template.definition
    before = [tag for tag in template.own_releases() if tag != release]
    for old in [definition.release, *before[-1:]]:
        service = _service(template.folder, scratch / f"service-{old}", old)
        yield _update(service, release, definition.locks, output)


def _service(template: Path, folder: Path, release: str) -> Path:
    copier.run_copy(str(template), folder, vcs_ref=release, defaults=True, quiet=True)
    git.run(folder, "init", "--quiet")
    for key, value in QUIET.items():
        git.run(folder, "config", key, value)
    return folder


def _edited(folder: Path) -> list[Insertion]:
    """Make typical edits and commit them.

    Those that find no place in what the organisation renders are left out.
    """
    made: list[Insertion] = []
    for name in EDITS:
        _commit(folder)
        try:
            made += make_edits(folder, [name])
        except ValueError:
            git.run(folder, "reset", "--quiet", "--hard")
            git.run(folder, "clean", "--quiet", "-d", "--force")
    _commit(folder)
    return made


def _commit(folder: Path) -> None:
    git.run(folder, "add", "--all")
    git.run(folder, "commit", "--quiet", "--allow-empty", "--message", "Edit")


def _update(folder: Path, release: str, locks: Mapping[str, object], output: TextIO) -> _Update:
    """Edit a service, update it, and run its checks and tests."""
    edits = _edited(folder)
    service = Service.found(folder)
    fixed = {name: str(answer) for name, answer in locks.items()}
    found = plan(service, Wish(to=release, data=fixed))
    name = f"update from {found.before} to {found.after}"
    problems = [f"{name}: it would take away what is in {path}" for path in found.lost]
    problems += [f"{name}: {broken}" for broken in found.broken]
    problems += [f"{name}: conflicts in {path}" for path in found.merge.conflicts]
    if not problems:
        updates.write(service, found).forget(service)
        lost = sorted({edit.path for edit in edits if not edit.is_in(folder)})
        problems += [f"{name}: the edit of {path} is lost" for path in lost]
        os.environ.update(clean_environment())  # a Python that is here; `isolated` takes it back
        if failed := updates.check(service, output):
            problems.append(f"{name}: {failed} failed, see above")
    return _Update([edit.path for edit in edits], problems)
