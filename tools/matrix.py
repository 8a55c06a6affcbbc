"""Run the tests of a covering array of programs: `make matrix STRENGTH=3`.

Every choice of so many answers that is legal occurs in one of the rows.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.coverage import covering_array, interactions_in, legal_interactions
from plinth.harness.programs import Outcome
from tools.programs import Workshop, workshop
from tools.report import command, conclude, say


@dataclass(frozen=True)
class Report:
    """The figures of a run; times of programs are core-seconds."""

    strength: int
    combinations: int
    rows: int
    interactions: int
    covered: int
    programs: int
    failed: int
    skipped_tests: int
    fewest_tests: int
    median_tests: float
    most_tests: int
    median_core_seconds: float
    median_overhead: float
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        share = 100 * self.covered / self.interactions
        return (
            f"matrix: strength {self.strength}, {self.rows} rows of {self.combinations} "
            f"combinations, {self.covered} of {self.interactions} interactions covered "
            f"({share:.0f} %), {self.programs} distinct programs, {self.failed} failed, "
            f"{self.fewest_tests} to {self.most_tests} tests each (median "
            f"{self.median_tests:.0f}), {self.skipped_tests} skipped, "
            f"{self.median_core_seconds:.1f} core-seconds each, "
            f"{self.median_overhead:.2f} of them ours, {self.seconds:.0f} s"
        )


def main() -> None:
    """Run the rows, explain what fails, report."""
    parser = command("matrix", __doc__)
    parser.add_argument("--strength", type=int, default=2)
    parser.add_argument("--template", type=Path, help="another template than this checkout's")
    given = parser.parse_args()
    started = time.monotonic()
    with workshop(given.template) as shop:
        space = shop.survey.space
        rows = covering_array(space, given.strength)
        legal = legal_interactions(space, given.strength)
        programs = {p.key: p for p in map(shop.programs.of, rows)}
        say(f"matrix: {len(rows)} rows, {len(programs)} distinct programs")
        outcomes: list[Outcome] = []
        for outcome in shop.runner.run_all(programs.values()):
            outcomes.append(outcome)
            say(f"{len(outcomes)}/{len(programs)} {describe(outcome)}")
        failures = explain(shop, outcomes)
        report = Report(
            strength=given.strength,
            combinations=len(space),
            rows=len(rows),
            interactions=len(legal),
            covered=len(legal & interactions_in(rows, given.strength)),
            programs=len(programs),
            failed=failures,
            skipped_tests=sum(len(outcome.skipped) for outcome in outcomes),
            fewest_tests=min(outcome.tests for outcome in outcomes),
            median_tests=statistics.median(outcome.tests for outcome in outcomes),
            most_tests=max(outcome.tests for outcome in outcomes),
            median_core_seconds=statistics.median(o.core + o.overhead for o in outcomes),
            median_overhead=statistics.median(outcome.overhead for outcome in outcomes),
            seconds=time.monotonic() - started,
        )
    conclude(report, failed=bool(failures), as_json=given.json)


def explain(shop: Workshop, outcomes: Sequence[Outcome]) -> int:
    """Show each failure, and return how many there are."""
    failures = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failures:
        say(shop.explain(outcome))
    return len(failures)


def describe(outcome: Outcome) -> str:
    """Return a line about a program."""
    answers = " ".join(f"{name}={answer}" for name, answer in outcome.program.answers.items())
    verdict = "passed" if outcome.passed else " ".join(["FAILED", *sorted(outcome.failed)])
    return f"{verdict}, {outcome.tests} tests, {outcome.seconds:.0f} s: {answers}"


if __name__ == "__main__":
    main()
