"""Run programs on real servers of several versions: `make versions ARGS="--match MySQL"`.

Those are the versions that compose.yaml names, the oldest promised, and newer ones, as `[versions]`
in extensions/PART/harness.toml says. Results are not remembered.
"""

import os
import shlex
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from plinth.harness.hints import Hints, Server
from plinth.harness.programs import Programs
from plinth.harness.runner import Outcome, Runner
from plinth.harness.servers import ServerMissingError
from plinth.harness.source import REPOSITORY, copy_template, isolated
from plinth.harness.space import parse
from plinth.harness.survey import Survey
from plinth.harness.versions import Version, read, running, way
from tools.programs import reason
from tools.report import command, conclude, nothing_matches, say


@dataclass(frozen=True)
class Report:
    """How many programs ran on how many versions, which did not pass, and what was left out."""

    versions: int
    programs: int
    tests: int
    failed: Sequence[str]
    without_a_server: Sequence[str]
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        left_out = (
            f", left out: {', '.join(self.without_a_server)}" if self.without_a_server else ""
        )
        return (
            f"versions: {self.versions} versions, {self.programs} programs on them, "
            f"{self.tests} tests passed, {len(self.failed)} programs failed{left_out}, "
            f"{self.seconds:.0f} s"
        )


class Trial:
    """Runs the programs of versions."""

    def __init__(
        self, survey: Survey, programs: Programs, runner: Runner, servers: dict[str, Server]
    ) -> None:
        self._survey = survey
        self._programs = programs
        self._runner = runner
        self._servers = servers

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["Trial"]:
        """Open a runner for which the versions take the place of all other servers."""
        servers: dict[str, Server] = {}
        with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
            template = copy_template(Path(folder) / "template", REPOSITORY)
            hints = replace(Hints.read(template), servers=servers)
            survey = Survey(template, hints)
            programs = Programs(survey)
            with Runner.started(programs, os.cpu_count() or 1, hints) as runner:
                yield cls(survey, programs, runner, servers)

    def run(self, version: Version, arguments: Sequence[str]) -> Iterable[Outcome]:
        """Start a version, run its programs one after the other, and stop it."""
        with running(version) as port:
            for words in version.programs:
                answers = parse(self._survey.space, words.split())
                self._servers.clear()
                self._servers[version.part] = version.server(port, answers)
                outcome = self._runner.run(self._programs.of(answers), arguments)
                verdict = "passed" if outcome.passed else "FAILED"
                say(f"{version.name}: {verdict}, {outcome.tests} tests: {words}")
                if not outcome.passed:
                    say(reason(outcome))
                yield outcome


def main() -> None:
    """Run, report."""
    parser = command("versions", __doc__)
    parser.add_argument("--match", default="", help="only the versions with this in their name")
    parser.add_argument("--tests", default="", help="arguments of pytest, as for make program")
    given = parser.parse_args()
    known = read(REPOSITORY)
    chosen = [version for version in known if given.match.lower() in version.name.lower()]
    if not chosen:
        nothing_matches(parser, given.match, (version.name for version in known))
    there = [version for version in chosen if way(version)]
    missing = [version.name for version in chosen if version not in there]
    if not there or (missing and in_ci()):
        parser.error(
            f"nothing here can start {', '.join(missing)}: "
            "Docker does, and for most of them root with mmdebstrap"
        )
    started = time.monotonic()
    outcomes: list[Outcome] = []
    failed: list[str] = []
    with Trial.opened() as trial:
        for version in there:
            try:
                for outcome in trial.run(version, shlex.split(given.tests)):
                    outcomes.append(outcome)
                    if not outcome.passed:
                        failed.append(version.name)
            except ServerMissingError as error:
                say(str(error))
                failed.append(version.name)
    tests = sum(outcome.tests for outcome in outcomes)
    seconds = time.monotonic() - started
    report = Report(len(there), len(outcomes), tests, failed, missing, seconds)
    conclude(report, failed=bool(failed), as_json=given.json)


def in_ci() -> bool:
    """Whether a server that is missing is a mistake."""
    return os.environ.get("CI", "false").lower() not in {"", "0", "false"}


if __name__ == "__main__":
    main()
