"""Run the tests of every distinct program: `make sweep SHARD=1/8`.

What passed is remembered by its content in build/sweep, so a run that was stopped goes on where it
was, and only what a change of the template changed runs again.
"""

import hashlib
import time
from argparse import ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.programs import Outcome, Program
from plinth.harness.source import REPOSITORY
from plinth.harness.survey import Survey
from tools.journal import Journal
from tools.matrix import describe, explain
from tools.programs import workshop
from tools.report import command, conclude, progress, say

RESULTS = REPOSITORY / "build" / "sweep" / "results.jsonl"


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    shard: str
    programs: int
    remembered: int
    ran: int
    failed: int
    tests: int
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        rate = self.ran / self.seconds
        return (
            f"sweep: shard {self.shard}, {self.programs} distinct programs, {self.remembered} "
            f"passed before, {self.ran} run, {self.failed} failed, {self.tests} tests, "
            f"{self.seconds:.0f} s, {rate:.2f} programs a second"
        )


class Memory:
    """Which programs passed."""

    def __init__(self, file: Path, survey: Survey) -> None:
        self._journal = Journal(file)
        self._survey = survey
        self._known = {entry["id"] for entry in self._journal.entries}

    def __contains__(self, program: Program) -> bool:
        """Whether this program passed, with these distributions."""
        return self._identify(program) in self._known

    def add(self, outcome: Outcome) -> None:
        """Keep that a program passed, at once."""
        self._journal.add(
            {
                "id": self._identify(outcome.program),
                "answers": outcome.program.answers,
                "tests": outcome.tests,
                "seconds": round(outcome.seconds, 1),
            }
        )

    def _identify(self, program: Program) -> str:
        environment = self._survey.environment(program.answers).fingerprint()
        return hashlib.sha256(f"{program.key} {environment}".encode()).hexdigest()


def main() -> None:
    """Run what is not remembered, explain what fails, report."""
    parser = command("sweep", __doc__)
    parser.add_argument("--shard", type=shard, default=(1, 1), help="which of how many: 1/8")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are kept")
    parser.add_argument("--template", type=Path, help="another template than this checkout's")
    given = parser.parse_args()
    started = time.monotonic()
    with workshop(given.template) as shop:
        number, count = given.shard
        programs = shop.programs.all()[number - 1 :: count]
        memory = Memory(given.results, shop.survey)
        todo = [program for program in programs if program not in memory]
        outcomes: list[Outcome] = []
        for outcome in progress(shop.runner.run_all(todo), "sweep", len(todo), "program"):
            outcomes.append(outcome)
            if outcome.passed:
                memory.add(outcome)
            else:
                say(describe(outcome))
        failed = explain(shop, outcomes)
    report = Report(
        shard=f"{number}/{count}",
        programs=len(programs),
        remembered=len(programs) - len(todo),
        ran=len(todo),
        failed=failed,
        tests=sum(outcome.tests for outcome in outcomes),
        seconds=time.monotonic() - started,
    )
    conclude(report, failed=bool(failed), as_json=given.json)


def shard(text: str) -> tuple[int, int]:
    """Read `1/8`. Raises ArgumentTypeError where it is nothing of the kind."""
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ArgumentTypeError(f"{text!r} is no shard: 1/8 is the first of eight")
    return int(number), int(count)


if __name__ == "__main__":
    main()
