"""Write three domains into services of many kinds, check and test each: `make domains`."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.domains import PROGRAMS, Outcome, attempt
from plinth.harness.hints import Hints
from plinth.harness.releases import CURRENT, Releases
from plinth.harness.servers import Servers
from plinth.harness.source import REPOSITORY, isolated
from tools.report import LEFT_OUT, command, conclude, nothing_matches, pattern, progress, say


@dataclass(frozen=True)
class Report:
    """How the programs went."""

    programs: int
    tests: int
    failed: Sequence[str]
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        return (
            f"domains: {self.programs} programs with three domains each, {self.tests} tests, "
            f"{len(self.failed)} programs failed, {self.seconds:.0f} s"
        )


def main() -> None:
    """Generate, write, check, test, report."""
    parser = command("domains", __doc__)
    parser.add_argument("--only", type=pattern, default=re.compile(""), help="programs, by name")
    given = parser.parse_args()
    chosen = [program for program in PROGRAMS if given.only.search(program.name)]
    if not chosen:
        nothing_matches(parser, given.only.pattern, [program.name for program in PROGRAMS])
    outcomes: list[Outcome] = []
    with (
        tempfile.TemporaryDirectory(prefix="plinth-") as scratch,
        isolated(Path(scratch)),
        Servers.opened(Hints.read(REPOSITORY)) as servers,
    ):
        Path(scratch).chmod(0o711)  # PostgreSQL runs as another user where this is root
        template = Releases.shared().path
        for number, program in enumerate(progress(chosen, "domains", len(chosen), "program")):
            if program.answers.get("database") == "mysql" and "mysql" in servers.absent:
                LEFT_OUT[servers.absent["mysql"].variable] += 1
                continue
            outcome = attempt(program, template, CURRENT, Path(scratch) / f"service{number}")
            say(f"{outcome.name}: {outcome.tests} tests, {outcome.seconds:.0f} s {outcome.failure}")
            outcomes.append(outcome)
    report = Report(
        len(outcomes),
        sum(outcome.tests for outcome in outcomes),
        [outcome.name for outcome in outcomes if outcome.failure],
        sum(outcome.seconds for outcome in outcomes),
    )
    conclude(report, failed=bool(report.failed), as_json=given.json)


if __name__ == "__main__":
    main()
