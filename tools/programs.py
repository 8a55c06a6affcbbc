"""What the commands that run programs have in common."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.hints import Hints
from plinth.harness.programs import Outcome, Programs, Runner
from plinth.harness.shrink import command_line, smallest
from plinth.harness.source import REPOSITORY, copy_template, isolated
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from tools.report import say

# So much of what a failing test printed is shown; the rest is in its log.
SHOWN = 3000


@dataclass(frozen=True)
class Workshop:
    """A template, its programs, and what runs them."""

    survey: Survey
    programs: Programs
    runner: Runner

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
    """Open the workshop for a template, or this checkout's."""
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        template = copy_template(Path(folder) / "template", given or REPOSITORY)
        hints = Hints.read(template)
        survey = Survey(template, hints)
        programs = Programs(survey)
        with Runner.started(programs, os.cpu_count() or 1, hints) as runner:
            yield Workshop(survey, programs, runner)
