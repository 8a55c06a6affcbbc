"""What the commands that run programs have in common."""

import os
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from plinth.harness.hints import Hints
from plinth.harness.programs import Outcome, Program, Programs, Runner
from plinth.harness.servers import ServerMissingError, Servers, sentence
from plinth.harness.shrink import command_line, smallest
from plinth.harness.source import REPOSITORY, copy_template, isolated
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from tools.report import LEFT_OUT, say

# So much of what a failing test printed is shown; the rest is in its log.
SHOWN = 3000


class ReachingRunner(Runner):
    """Leaves out the programs that need a server that is missing."""

    servers = Servers()

    def run_all(self, programs: Iterable[Program]) -> Iterator[Outcome]:
        """Run programs side by side and yield each as it ends."""
        renderer = self._programs.renderer
        left = [p for p in programs if not self.servers.leave_out(renderer, p.answers)]
        return super().run_all(left)


@dataclass(frozen=True)
class Workshop:
    """A template, its programs, and what runs them."""

    survey: Survey
    programs: Programs
    runner: Runner
    servers: Servers

    @property
    def defaults(self) -> Answers:
        """The combination that a user gets who answers nothing."""
        return self.survey.space.combination()

    def explain(self, outcome: Outcome) -> str:
        """Return what failed, and the smallest set of answers with which it does."""

        def fails(answers: Answers) -> bool:
            return not self.runner.run(self.programs.of(answers)).passed

        shown = f"{outcome.log[-SHOWN:]}\n{len(outcome.failed)} failed: {', '.join(outcome.failed)}"
        if not fails(outcome.program.answers):
            return f"{shown}\nIt passed the second time: a test that depends on chance."
        say("shrinking a failure")
        answers = smallest(self.survey.space, outcome.program.answers, self.defaults, fails)
        return f"{shown}\nThe smallest set of answers that fails:\n  {command_line(answers)}"


@contextmanager
def workshop(given: Path | None) -> Generator[Workshop]:
    """Open the workshop for a template, or this checkout's.

    Ends the process with a sentence where a server is missing that should be there.
    """
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        template = copy_template(Path(folder) / "template", given or REPOSITORY)
        hints = Hints.read(template)
        with _servers(hints) as servers:
            survey = Survey(template, hints)
            programs = Programs(survey)
            with ReachingRunner.started(programs, os.cpu_count() or 1, hints) as runner:
                cast("ReachingRunner", runner).servers = servers
                yield Workshop(survey, programs, runner, servers)


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
