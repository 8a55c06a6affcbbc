"""Run the tests of every distinct program: `make sweep SHARD=1/8`.

A module of tests runs once for all programs in which what it can import and read is the same. What
passed is remembered: a run that was stopped continues where it was, and only what a change of the
template changed runs again.
"""

import time
from argparse import ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path

from tools.matrix import explain
from tools.programs import workshop
from tools.report import add_forget, command, conclude, progress, say


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    shard: str
    programs: int
    modules: int
    remembered: int
    ran: int
    failed: int
    tests: int
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        return (
            f"sweep: shard {self.shard}, {self.programs} distinct programs with {self.modules} "
            f"modules of tests, {self.ran} distinct ones run and {self.remembered} remembered or "
            f"the same, {self.tests} tests, {self.failed} programs failed, "
            f"{self.seconds / 3600:.2f} hours"
        )


def main() -> None:
    """Run what is not remembered, explain what fails, report."""
    parser = command("sweep", __doc__)
    add_forget(parser)
    parser.add_argument("--shard", type=shard, default=(1, 1), help="which of how many: 1/8")
    parser.add_argument("--results", type=Path, help="where results are kept")
    parser.add_argument("--template", type=Path, help="another template than this checkout's")
    given = parser.parse_args()
    started = time.monotonic()
    with workshop(given.template, given.results) as shop:
        number, count = given.shard
        programs = shop.programs.all()[number - 1 :: count]
        if not programs:
            parser.error(f"shard {number}/{count} is empty: there are not so many programs")
        say(f"sweep: {len(programs)} distinct programs")
        course = shop.course(programs)
        waiting = sum(bool(task.modules) for task in course.tasks)
        for _ in progress(shop.run(course), "sweep", waiting, "program"):
            pass  # it is remembered, and told where it fails
        failed = explain(shop, course)
    report = Report(
        shard=f"{number}/{count}",
        programs=len(programs),
        modules=course.modules,
        remembered=course.modules - course.todo,
        ran=course.todo,
        failed=failed,
        tests=sum(outcome.tests for outcome in course.outcomes),
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
