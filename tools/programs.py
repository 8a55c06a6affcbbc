"""What the commands that run programs have in common."""

import os
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from plinth.harness.hints import Hints
from plinth.harness.memory import Memory
from plinth.harness.programs import Program, Programs
from plinth.harness.results import ModuleResults, Task
from plinth.harness.runner import Outcome, Runner
from plinth.harness.servers import ServerMissingError, Servers, sentence
from plinth.harness.shrink import command_line, smallest
from plinth.harness.source import REPOSITORY, copy_template, isolated
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from tools.report import LEFT_OUT, say

# So much of what a failing test printed is shown; the rest is in its log.
SHOWN = 3000


@dataclass
class Course:
    """A run of programs: what is left to run of each, and how it went."""

    tasks: Sequence[Task]
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    @property
    def modules(self) -> int:
        """How many modules of tests the programs have, all together."""
        return sum(len(task.keys) for task in self.tasks)

    @property
    def todo(self) -> int:
        """How many of them run: the distinct ones that are not remembered."""
        return sum(len(task.modules) for task in self.tasks)

    @property
    def left(self) -> int:
        """How many of them are left to the nightly run."""
        return sum(len(task.left) for task in self.tasks)

    @property
    def failures(self) -> list[Outcome]:
        """What failed."""
        return [outcome for outcome in self.outcomes if not outcome.passed]


@dataclass(frozen=True)
class Workshop:
    """A template, its programs, what runs them, and what has passed before."""

    survey: Survey
    programs: Programs
    runner: Runner
    servers: Servers
    results: ModuleResults

    @property
    def defaults(self) -> Answers:
        """The combination that a user gets who answers nothing."""
        return self.survey.space.combination()

    def course(self, programs: Sequence[Program], *, brief: bool = False) -> Course:
        """Plan a run of programs; those that need a server that is missing are left out.

        If `brief`, dear modules run once for the answers that they name.
        """
        renderer = self.survey.renderer
        chosen = [p for p in programs if not self.servers.leave_out(renderer, p.answers)]
        return Course([*self.results.plan(chosen, brief=brief)])

    def run(self, course: Course) -> Iterator[Outcome]:
        """Run what is left of each program, remember what passes, report failures immediately."""
        tasks = {task.program.key: task for task in course.tasks if task.modules}
        for outcome in self.runner.run_all([(t.program, t.modules) for t in tasks.values()]):
            course.outcomes.append(outcome)
            self.results.add(tasks[outcome.program.key], outcome)
            if not outcome.passed:
                say(f"{describe(outcome)}\n{reason(outcome)}")
            yield outcome

    def explain(self, outcome: Outcome) -> str:
        """Return the smallest set of answers with which a program fails as it did."""
        modules = {node.partition("::")[0] for node in outcome.failed}

        def fails(answers: Answers) -> bool:
            program = self.programs.of(answers)
            there = sorted(modules & program.tree.keys())
            if modules and not there:
                return False
            return not self.runner.run(program, there).passed

        failed = f"{len(outcome.failed)} failed: {', '.join(outcome.failed)}"
        if not fails(outcome.program.answers):
            return f"{failed}\nIt passed the second time: a test that depends on chance."
        say("shrinking a failure")
        answers = smallest(self.survey.space, outcome.program.answers, self.defaults, fails)
        return f"{failed}\nThe smallest set of answers that fails:\n  {command_line(answers)}"


def reason(outcome: Outcome) -> str:
    """Return the end of what a program's tests printed."""
    return outcome.log[-SHOWN:]


def describe(outcome: Outcome) -> str:
    """Return a line about a program."""
    answers = " ".join(f"{name}={answer}" for name, answer in outcome.program.answers.items())
    verdict = "passed" if outcome.passed else " ".join(["FAILED", *sorted(outcome.failed)])
    return f"{verdict}, {outcome.tests} tests, {outcome.seconds:.0f} s: {answers}"


@contextmanager
def workshop(given: Path | None, results: Path | None = None) -> Generator[Workshop]:
    """Open the workshop for a template, or this checkout's; `results` are kept in a file.

    Ends the process with a sentence where a server is missing that should be there.
    """
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        template = copy_template(Path(folder) / "template", given or REPOSITORY)
        hints = Hints.read(template)
        with _servers(hints) as servers:
            survey = Survey(template, hints)
            programs = Programs(survey)
            remembered = ModuleResults(
                survey, hints, Memory(results) if results else Memory.of("modules")
            )
            with Runner.started(programs, os.cpu_count() or 1, hints) as runner:
                yield Workshop(survey, programs, runner, servers, remembered)


@contextmanager
def _servers(hints: Hints) -> Generator[Servers]:
    try:
        with Servers.opened(hints) as servers:
            if servers.absent:
                say(sentence(servers.absent))
            try:
                yield servers
            finally:
                LEFT_OUT.update(servers.left_out)
    except ServerMissingError as error:
        sys.exit(str(error))
