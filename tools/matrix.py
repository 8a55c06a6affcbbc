"""Run the tests of a covering array of programs: `make matrix STRENGTH=3`.

Every choice of so many answers that is legal occurs in one of the rows. The smallest row runs
first, then everything on, everything off, and the others, small ones first. Modules of tests that
passed before, with all that they can import and read, are remembered. At strength 2, which runs on
every change, dear modules run once for each choice of the answers that they name.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.coverage import covering_array, interactions_in, legal_interactions
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from tools.programs import Course, Workshop, describe, workshop
from tools.report import add_forget, command, conclude, say

# Up to this strength, an array is brief about dear modules: `make test` runs it on every change.
BRIEF = 2


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
    modules: int
    remembered: int
    left: int
    ran: int
    tests: int
    skipped_tests: int
    median_core_seconds: float
    median_overhead: float
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        share = 100 * self.covered / self.interactions
        return (
            f"matrix: strength {self.strength}, {self.rows} rows of {self.combinations} "
            f"combinations, {self.covered} of {self.interactions} interactions covered "
            f"({share:.0f} %), {self.programs} distinct programs, {self.failed} failed; "
            f"{self.modules} modules of tests, {self.ran} distinct ones run and "
            f"{self.remembered} remembered or the same, {self.left} left to the nightly run, "
            f"{self.tests} tests, "
            f"{self.skipped_tests} skipped, {self.median_core_seconds:.1f} core-seconds each, "
            f"{self.median_overhead:.2f} of them ours, {self.seconds:.0f} s"
        )


def main() -> None:
    """Run the rows, explain what fails, report."""
    parser = command("matrix", __doc__)
    add_forget(parser)
    parser.add_argument("--strength", type=int, choices=range(1, 5), default=2)
    parser.add_argument("--template", type=Path, help="another template than this checkout's")
    given = parser.parse_args()
    started = time.monotonic()
    with workshop(given.template) as shop:
        space = shop.survey.space
        array = covering_array(space, given.strength)
        rows = [*in_order(shop.survey, array)]
        legal = legal_interactions(space, given.strength)
        programs = {p.key: p for p in map(shop.programs.of, rows)}
        course = shop.course([*programs.values()], brief=given.strength <= BRIEF)
        waiting = sum(bool(task.modules) for task in course.tasks)
        say(f"matrix: {len(rows)} rows, {len(programs)} distinct programs, {waiting} to run")
        for outcome in shop.run(course):
            if outcome.passed:
                say(f"{len(course.outcomes)}/{waiting} {describe(outcome)}")
        failures = explain(shop, course)
        report = Report(
            strength=given.strength,
            combinations=len(space),
            rows=len(rows),
            interactions=len(legal),
            covered=len(legal & interactions_in(rows, given.strength)),
            programs=len(programs),
            failed=failures,
            modules=course.modules,
            remembered=course.modules - course.todo - course.left,
            left=course.left,
            ran=course.todo,
            tests=sum(outcome.tests for outcome in course.outcomes),
            skipped_tests=sum(len(outcome.skipped) for outcome in course.outcomes),
            median_core_seconds=_median([o.core + o.overhead for o in course.outcomes]),
            median_overhead=_median([outcome.overhead for outcome in course.outcomes]),
            seconds=time.monotonic() - started,
        )
    conclude(report, failed=bool(failures), as_json=given.json)


def in_order(survey: Survey, array: Sequence[Answers]) -> Iterator[Answers]:
    """Yield the rows, and all on and all off, in the order in which faults show soonest."""
    cheapest, *others = sorted(array, key=survey.parts_on)
    yield cheapest
    yield survey.most
    yield survey.least
    yield from others


def explain(shop: Workshop, course: Course) -> int:
    """Say for each failure which answers it takes, and return how many there are."""
    for outcome in course.failures:
        say(shop.explain(outcome))
    return len(course.failures)


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0


if __name__ == "__main__":
    main()
