"""What a contributor runs between two changes: `make quick`, after `make check`.

The survey without its comparison, the tests of this repository that take seconds, and the tests of
up to three programs in which what git says is changed comes out differently.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.command import git
from plinth.harness.coverage import covering_array
from plinth.harness.render import Renderer
from plinth.harness.source import PARTS, REPOSITORY
from plinth.harness.space import Answers
from tools.matrix import explain, in_order
from tools.programs import Workshop, describe, workshop
from tools.report import add_forget, command, conclude, say

# Each with the reason why it does not run here; `make test` runs it.
SLOW: Mapping[str, str] = {
    "test_demo": "starts a service",
    "test_free_text": "renders and checks many projects",
    "test_hooks": "installs hooks",
    "test_installs": "installs projects",
    "test_prompts": "answers prompts in terminals",
    "test_proofs": "runs programs",
    "test_release": "copies this repository",
    "test_survey": "surveys templates with mistakes",
    "test_sweep": "renders every program",
    "test_try": "runs a program",
    "test_update_migrations": "updates an installed project",
    "test_updates": "updates projects",
}
MOST = 3
# What the programs of a template depend on, beside its own files.
REFERENCES = ("origin/main", "HEAD~1")


@dataclass(frozen=True)
class Report:
    """The figures of a run; what failed has been told."""

    survey: bool
    tests: bool
    since: str
    changed: int
    programs: int
    modules: int
    remembered: int
    failed: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return self.survey and self.tests and not self.failed

    def __str__(self) -> str:
        """Return the closing line."""
        verdicts = {True: "passed", False: "FAILED"}
        return (
            f"quick: space {verdicts[self.survey]}, tests of this repository "
            f"{verdicts[self.tests]}, {self.changed} texts changed since {self.since}, "
            f"{self.programs} programs with them, {self.modules} modules of tests run and "
            f"{self.remembered} remembered or the same, {self.failed} failed, {self.seconds:.0f} s"
        )


def main() -> None:
    """Survey, test, run programs, report."""
    parser = command("quick", __doc__)
    add_forget(parser)
    given = parser.parse_args()
    started = time.monotonic()
    surveyed = run("tools.space", "--compare", "0")
    ignored = [f"--ignore=tests/{name}.py" for name in SLOW]
    tested = run("pytest", "--quiet", "--numprocesses", "auto", "--dist", "worksteal", *ignored)
    since = base()
    with tempfile.TemporaryDirectory() as folder, workshop(None) as shop:
        before = extract(since, Path(folder) / "before")
        found = changes(shop, before)
        chosen = [shop.programs.of(rows) for rows in choose(found)]
        course = shop.course(chosen)
        for outcome in shop.run(course):
            if outcome.passed:
                say(describe(outcome))
        failed = explain(shop, course)
    report = Report(
        survey=surveyed,
        tests=tested,
        since=since[:10],
        changed=len({item for _, items in found for item in items}),
        programs=len(chosen),
        modules=course.todo,
        remembered=course.modules - course.todo,
        failed=failed,
        seconds=time.monotonic() - started,
    )
    conclude(report, failed=not report.is_good, as_json=given.json)


def run(*module: str) -> bool:
    """Run a module of Python with arguments; return whether it passed."""
    done = subprocess.run([sys.executable, "-m", *module], cwd=REPOSITORY, check=False)
    return not done.returncode


def base() -> str:
    """Return the commit to compare with: where this branch began, or the last one."""
    for reference in REFERENCES:
        try:
            found = git(REPOSITORY, "merge-base", "HEAD", reference)
        except subprocess.CalledProcessError:
            continue  # a clone without it
        if found != git(REPOSITORY, "rev-parse", "HEAD"):
            return found
    return git(REPOSITORY, "rev-parse", "HEAD")


def extract(commit: str, into: Path) -> Path:
    """Write the template as a commit has it."""
    listed = git(REPOSITORY, "ls-tree", "--name-only", commit, *PARTS).splitlines()
    into.mkdir()
    archive = ["git", "archive", "--format=tar", commit, *listed]
    with subprocess.Popen(archive, cwd=REPOSITORY, stdout=subprocess.PIPE) as made:
        subprocess.run(["tar", "--extract", "--file=-"], cwd=into, stdin=made.stdout, check=True)
    return into


Change = tuple[Answers, set[tuple[str, str]]]


def changes(shop: Workshop, before: Path) -> list[Change]:
    """Return, for rows that have each answer, the texts that tests see and that were not there."""
    rows = [*in_order(shop.survey, covering_array(shop.survey.space, 2)), shop.defaults]
    try:
        old = Renderer(before)
        known = [_texts(old, row) for row in rows]
    except Exception as error:  # noqa: BLE001 - a template of another form; all counts as changed
        say(f"quick: the template of before cannot be rendered ({error}); all of it counts as new")
        known = [dict[str, str]() for _ in rows]
    found: list[Change] = []
    for row, texts in zip(rows, known, strict=True):
        tree = shop.programs.of(row).tree
        changed = {*tree.items()} - {*texts.items()}
        found.append((row, {(path, text) for path, text in changed if shop.programs.is_seen(path)}))
    return found


def _texts(renderer: Renderer, row: Answers) -> dict[str, str]:
    """Return what a template makes of a row of another; nothing where it refuses it."""
    factors = renderer.space.factors()
    answers = {name: row.get(name, values[0]) for name, values in factors.items()}
    return renderer.tree(answers, machinery=True) if renderer.space.allows(answers) else {}


def choose(found: Sequence[Change]) -> Iterator[Answers]:
    """Yield few rows that have the most of what is changed between them."""
    left = [(row, {*items}) for row, items in found]
    for _ in range(MOST):
        row, items = max(left, key=lambda change: len(change[1]))
        if not items:
            return
        yield row
        left = [(other, rest - items) for other, rest in left]


if __name__ == "__main__":
    main()
