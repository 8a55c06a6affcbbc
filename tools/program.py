"""Run the tests of one program: `make program ANSWERS="database=sqlite auth=none"`.

The answers not named have their defaults. `TESTS="tests/items -k page"` chooses tests.
"""

import shlex
from dataclasses import dataclass

from plinth.harness.space import parse
from tools.programs import workshop
from tools.report import command, conclude, say


@dataclass(frozen=True)
class Report:
    """How the tests of the program ended."""

    tests: int
    failed: list[str]
    skipped: int
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        return (
            f"program: {self.tests} passed, {len(self.failed)} failed, {self.skipped} skipped, "
            f"{self.seconds:.0f} s"
        )


def main() -> None:
    """Render, run, report."""
    parser = command("program", __doc__)
    parser.add_argument("--answers", default="", help="NAME=ANSWER …")
    parser.add_argument("--tests", default="", help="arguments of pytest")
    given = parser.parse_args()
    with workshop(None) as shop:
        try:
            answers = parse(shop.survey.space, given.answers.split())
        except ValueError as error:
            parser.error(str(error))
        if variables := shop.servers.needed(shop.survey.renderer, answers):
            parser.error(f"its tests need a server: {' and '.join(variables)} names one")
        outcome = shop.runner.run(shop.programs.of(answers), shlex.split(given.tests))
    if not outcome.passed:
        say(outcome.log)
    report = Report(outcome.tests, [*outcome.failed], len(outcome.skipped), outcome.seconds)
    conclude(report, failed=not outcome.passed, as_json=given.json)


if __name__ == "__main__":
    main()
