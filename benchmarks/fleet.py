"""Audit checkouts that are generated with seeded problems: which are found, how fast, how large.

The template is this checkout with four releases of its own. Each service has answers and a name of
its own, so that no render serves two of them, and edits as owners make them. What the audit must
say of files is known from Git: the difference between a service's first commit and its last.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copier import Settings

from benchmarks.seeds import SEEDS, Seed, sown
from benchmarks.upstream import PINS, RELEASES, published
from plinth.fleet import rendering
from plinth.fleet.processes import each
from plinth.harness.command import git
from plinth.harness.edits import make_edits
from plinth.harness.source import isolated
from tools.report import conclude, positive, progress, say

ALLOWED = 2
OPTIONS = ("--max-behind", str(ALLOWED), "--format", "json")
# Rules that need a rehearsal, or renders at all.
REHEARSED = {"PF005", "PF006"}
SKIPPED = {
    "plain": {"PF003", "PF004", "PF011", *REHEARSED},
    "drift": REHEARSED,
    "rehearse": set[str](),
}
PRESETS = ("minimal", "standard", "standard", "full")
EDITS = ((), ("route",), ("dependency",), ("section",))
Expected = Mapping[str, set[tuple[str, str]]]


@dataclass(frozen=True)
class Wanted:
    """A service to make."""

    path: Path
    template: Path
    number: int

    @property
    def seed(self) -> Seed | None:
        """The problem to seed; the first services have one each."""
        return SEEDS[self.number] if self.number < len(SEEDS) else None


@dataclass
class Report:
    """What was measured."""

    services: int
    runs: dict[str, dict[str, float]]
    seeded: int
    found: int
    false: list[str]
    missed: list[str]

    def __str__(self) -> str:
        """Return the closing line."""
        times = ", ".join(f"{name} {run['seconds']} s" for name, run in self.runs.items())
        return (
            f"fleet: {self.services} services, {self.found} of {self.seeded} problems found, "
            f"{len(self.false)} false, {times}"
        )


def main() -> None:
    """Make the services, audit them, compare with what was seeded."""
    parser = ArgumentParser(prog="make fleet", description=__doc__)
    parser.add_argument("--services", type=positive, default=200)
    parser.add_argument("--growth", type=int, nargs="*", default=[], help="sizes to audit besides")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=SKIPPED, help="of the audits, this one alone")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, isolated(Path(name)):
        kinds = [given.only] if given.only else [*SKIPPED]
        report = measured(Path(name), given.services, given.growth, given.jobs, kinds)
    wrong = report.missed or report.false
    conclude(report, failed=bool(wrong), as_json=given.json)


def measured(
    folder: Path, services: int, growth: Sequence[int], jobs: int, kinds: Sequence[str]
) -> Report:
    """Return what the audits of a fleet found, and what they took."""
    template = published(folder / "template")
    (folder / "pins.yml").write_text(PINS, "utf-8")
    many = max([services, *growth])
    wanted = [
        Wanted(folder / "fleet" / f"service-{number:04}", template, number)
        for number in range(many)
    ]
    (folder / "scratch").mkdir()
    made = each(make, wanted, jobs, folder / "scratch")
    for _ in progress(made, "making services", many, "service"):
        pass
    runs: dict[str, dict[str, float]] = {}
    report = Report(services, runs, len(SEEDS), 0, [], [])
    expected = {one.path.name: expectation(one) for one in wanted[:services]}
    for kind in kinds:
        rows, runs[kind] = audit(folder, wanted[:services], kind, jobs)
        judge(report, kind, rows, expected)
        say(f"{kind}: {runs[kind]}")
    for size in growth:
        for kind in kinds:
            _, run = audit(folder, wanted[:size], kind, jobs)
            runs[f"{kind} of {size}"] = run
            say(f"{kind} of {size}: {run}")
    return report


def make(wanted: Wanted) -> None:
    """Generate a service, edit it as its owner would, and seed its problem."""
    number, path, seed = wanted.number, wanted.path, wanted.seed
    release = seed.release if seed else RELEASES[1 + number % 3]
    answers = {"project_name": f"Service {number}", "preset": PRESETS[number % len(PRESETS)]}
    rendering.run_copy(
        str(wanted.template),
        path,
        {**answers, **(seed.answers if seed else {})},
        vcs_ref=release,
        settings=Settings(),
        defaults=True,
        quiet=True,
    )
    git(path, "init", "--quiet")
    commit(path)
    if seed is None or seed.owner_edits:
        make_edits(path, EDITS[number // len(PRESETS) % len(EDITS)])
    if seed:
        sown(seed, path)
    if seed is None or seed.commits:
        commit(path)


def commit(path: Path) -> None:
    """Commit all there is."""
    git(path, "add", "--all", "--force")
    git(path, "commit", "--quiet", "--allow-empty", "--message", "Work")


def expectation(wanted: Wanted) -> set[tuple[str, str]]:
    """Return the rules that a service does not keep, with the files where they are of files."""
    if wanted.seed and wanted.seed.rule == "PF012":
        return {("PF012", "")}
    root = git(wanted.path, "rev-list", "--max-parents=0", "HEAD")
    changed = git(wanted.path, "diff", "--no-renames", "--name-status", root, "HEAD")
    kinds = {"M": "PF003", "D": "PF004"}
    lines = (line.split("\t", 1) for line in changed.splitlines())
    files = {
        (kinds[kind], path)
        for kind, path in lines
        if kind in kinds and path != ".copier-answers.yml"
    }
    if not wanted.seed:
        return files
    if wanted.seed.rule in {"PF010", "PF011"}:
        files.clear()  # of a release, or for answers, that nothing is rendered for
    return files | ({(wanted.seed.rule, wanted.seed.file)} - {("", "")})


def judge(report: Report, kind: str, rows: Expected, expected: Expected) -> None:
    """Note what was found, what was missed, and what is false; the last run counts."""
    skipped = SKIPPED[kind]
    found = 0
    for name, wanted in expected.items():
        due = {one for one in wanted if one[0] not in skipped}
        got = rows.get(name, set())
        report.false += [f"{kind}: {name} {one}" for one in sorted(got - due)]
        report.missed += [f"{kind}: {name} {one}" for one in sorted(due - got)]
    for number, seed in enumerate(SEEDS):
        found += (seed.rule, seed.file) in rows.get(f"service-{number:04}", set())
    report.found = found


def audit(
    folder: Path, services: Sequence[Wanted], kind: str, jobs: int
) -> tuple[Expected, dict[str, float]]:
    """Run the command; return what it found in each service, and what it took."""
    listed = folder / "list.txt"
    listed.write_text("".join(f"{one.path}\n" for one in services), "utf-8")
    options = {"plain": [], "drift": ["--drift"], "rehearse": ["--drift", "--rehearse"]}[kind]
    command = [sys.executable, "-m", "plinth", "fleet", "audit", f"@{listed}", *OPTIONS]
    command += ["--pins", str(folder / "pins.yml"), "--jobs", str(jobs), *options]
    with (folder / "out.json").open("w+", encoding="utf-8") as output:
        before, began = os.times(), time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, text=True)
        peak = watched(process)
        seconds, after = time.monotonic() - began, os.times()
        output.seek(0)
        text = output.read()
    if not text:
        sys.exit(process.stderr.read() if process.stderr else "the audit printed nothing")
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    took = {"seconds": round(seconds, 1), "cpu s": round(cpu, 1), "peak MB": round(peak / 2**20)}
    rows: list[dict[str, Any]] = json.loads(text)["services"]
    return {Path(row["path"]).name: {*_findings(row)} for row in rows}, took


def _findings(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    of_files = {"PF003", "PF004", "PF005", "PF006", "PF007"}
    for finding in row["findings"]:
        rule = finding["rule"]
        yield rule, finding["detail"].split(" ")[0] if rule in of_files else ""


def watched(process: "subprocess.Popen[str]") -> int:
    """Wait for a process; return the most memory that it and those below it had together."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(resident, below(process.pid))))
        time.sleep(0.2)
    return peak


def below(pid: int) -> Iterator[int]:
    """Yield a process and those that it started."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text("ascii").split():
                yield from below(int(child))
    except OSError:
        return


def resident(pid: int) -> int:
    """Return the memory of a process in bytes; what is shared counts in each."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
