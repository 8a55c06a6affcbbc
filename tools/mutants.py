"""Make mistakes in the template and see which of them the harness notices: `make mutants`.

Each mutant is looked at by the survey; where it lets one pass, this repository tests the files that
it changes, programs that it changes run their own tests, and a project with it is installed,
checked and started. What nothing notices survives, and needs a new check, or a reason in
extensions/PART/harness.toml. A run that was interrupted continues where it stopped.
"""

import contextlib
import functools
import hashlib
import multiprocessing
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plinth.harness.command import git, pytest
from plinth.harness.databases import own_database
from plinth.harness.hints import Hints
from plinth.harness.memory import Memory, digest
from plinth.harness.mutants import Mutant, mutants
from plinth.harness.programs import Programs
from plinth.harness.project import CommandError, GeneratedProject, clean_environment
from plinth.harness.proofs import copy_checkout
from plinth.harness.servers import free_port
from plinth.harness.source import REPOSITORY, copy_template
from plinth.harness.space import Answers
from plinth.harness.survey import Survey
from tools.programs import Workshop, workshop
from tools.report import add_forget, command, conclude, nothing_matches, pattern, progress, say
from tools.server import Server, ServerError

if TYPE_CHECKING:
    from multiprocessing.pool import AsyncResult

# So many whole texts of a file that has too many; the shares themselves are all looked at.
SAMPLE = 20
# Which tests look at a file of the template that has the mistake, or of a project that changes.
TESTS = {
    r"^(questions/|LICENSE)": "tests/test_questions.py",
    # Where free text is written.
    r"^(questions/project|template/(pyproject|README|src/app/main))": ("tests/test_free_text.py"),
    # What the others look at, edits that stay, is not for it to decide.
    r"^extensions/exclude": "tests/test_updates.py::test_untouched",
    r"^(pyproject|Dockerfile|src/app/|migrations/|\.github/)": "tests/test_architecture.py",
    # Texts that no program executes.
    r"^(template/)?(AGENTS|Dockerfile|LICENSE|Makefile|README|compose|pyproject)": (
        "tests/test_texts.py"
    ),
    r"^(template/)?src/app/main": "tests/test_texts.py",
    r"^\.github/": "tests/test_workflows.py",
    r"^(Dockerfile|compose\.yaml|\.dockerignore)$": "tests/test_container_files.py",
    r"^\.pre-commit": "tests/test_hooks.py",
}
# The database's own tests are the first to see a table that is not as it should be; those of the
# embedded database take most of the time and see nothing of what answers change.
PYTEST = (
    *("--exitfirst", "-p", "no:randomly"),
    *("--ignore", "tests/machinery/postgresql/test_embedded_postgres.py"),
    *("tests/test_migrations.py", "tests"),
)
# A mistake in what many projects share is seen by each of them.
MOST_PROGRAMS = 2
EQUIVALENT = "nothing changes"
# Not judged to the end: only projects that need a missing server could have noticed it.
LEFT_OUT = "left out"


@dataclass(frozen=True)
class Verdict:
    """What noticed a mutant; empty where nothing did."""

    path: str
    mistake: str
    noticed_by: str


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    mutants: int
    equivalent: int
    noticed: Mapping[str, int]
    explained: int
    survivors: Sequence[Verdict]
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        noticed, real = sum(self.noticed.values()), self.mutants - self.equivalent
        by = ", ".join(f"{count} by {name}" for name, count in self.noticed.items())
        return (
            f"mutants: {self.mutants}, {self.equivalent} of them change no text, {noticed} of "
            f"{real} noticed ({100 * noticed / real:.1f} %; {by}), {self.explained} survive with a "
            f"reason, {len(self.survivors)} without, {self.seconds:.0f} s"
        )


class Verdicts:
    """Verdicts on the mutants of this checkout; those of an earlier run are known."""

    def __init__(self, memory: Memory, checkout: str) -> None:
        self._memory = memory
        self._checkout = checkout

    def recall(self, mutant: Mutant) -> Verdict | None:
        """Return the verdict on a mutant, if there is one."""
        key = self._key(mutant.path, mutant.mistake)
        if key not in self._memory:
            return None
        return Verdict(mutant.path, mutant.mistake, self._memory.recall(key)["noticed_by"])

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict, immediately."""
        self._memory.add(self._key(verdict.path, verdict.mistake), **asdict(verdict))

    def _key(self, path: str, mistake: str) -> str:
        return digest(self._checkout, path, mistake)


def checkout_digest() -> str:
    """Return what tells this checkout from one in which verdicts may be others."""
    content = hashlib.sha256()
    listed = git(REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard")
    for path in sorted(listed.splitlines()):
        if (REPOSITORY / path).is_file():
            content.update(f"{path}\n".encode() + (REPOSITORY / path).read_bytes())
    return content.hexdigest()


def main() -> None:
    """Make every mistake, or those that match, and report."""
    parser = command("mutants", __doc__)
    add_forget(parser)
    parser.add_argument("--match", type=pattern, default="", help="a pattern of FILE: MISTAKE")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        original = copy_template(Path(folder) / "template")
        everything = {f"{mutant.path}: {mutant.mistake}": mutant for mutant in mutants(original)}
        chosen = [mutant for told, mutant in everything.items() if given.match.search(told)]
        if not chosen:
            nothing_matches(parser, given.match.pattern, {m.path for m in everything.values()})
        shop = stack.enter_context(workshop(None))
        known = Verdicts(Memory.of("mutants"), checkout_digest())
        verdicts = [*filter(None, map(known.recall, chosen))]
        todo = [mutant for mutant in chosen if known.recall(mutant) is None]
        say(f"mutants: {len(chosen)}, {len(todo)} to judge")
        for verdict in progress(judge_all(shop, original, todo), "mutants", len(todo), "mutant"):
            if verdict.noticed_by == LEFT_OUT:
                continue
            known.add(verdict)
            verdicts.append(verdict)
            if not verdict.noticed_by:
                say(f"survives: {verdict.path}: {verdict.mistake}")
    reasons = Hints.read(REPOSITORY).survivors
    survivors = [v for v in verdicts if not v.noticed_by]
    unexplained = [v for v in survivors if not any(_explains(r, v) for r in reasons)]
    report = Report(
        mutants=len(verdicts),
        equivalent=sum(v.noticed_by == EQUIVALENT for v in verdicts),
        noticed=Counter(v.noticed_by for v in verdicts if v.noticed_by not in {"", EQUIVALENT}),
        explained=len(survivors) - len(unexplained),
        survivors=unexplained,
        seconds=time.monotonic() - started,
    )
    for verdict in unexplained:
        say(f"without a reason: {verdict.path}: {verdict.mistake}")
    conclude(report, failed=bool(unexplained), as_json=given.json)


def judge_all(shop: Workshop, original: Path, chosen: Sequence[Mutant]) -> Iterator[Verdict]:
    """Yield a verdict on each, as they come."""
    workers = os.cpu_count() or 1
    # The survey computes, in processes of its own; what comes after it waits for other programs.
    with (
        multiprocessing.get_context("spawn").Pool(workers) as pool,
        ThreadPoolExecutor(workers) as threads,
    ):
        looks = [(mutant, pool.apply_async(look, (original, mutant))) for mutant in chosen]
        judged = [threads.submit(judge, shop, original, mutant, seen) for mutant, seen in looks]
        for verdict in as_completed(judged):
            yield verdict.result()


def look(original: Path, mutant: Mutant) -> tuple[str, dict[str, Answers]]:
    """Return what the survey says of a mutant, and each file that it changes, with answers."""
    with mutated(original, mutant) as template:
        try:
            survey = Survey(template, Hints.read(template), SAMPLE)
            changed = dict(changes(_survey_of(original), survey))
            problem = next(survey.problems(), "") if changed else ""
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noticed
            return f"{type(error).__name__}: {error}", {}
    return problem, changed


def changes(before: Survey, after: Survey) -> Iterator[tuple[str, Answers]]:
    """Yield each file that differs for some answers, with those."""
    for survey in (before, after):
        for bodies in survey.bodies:
            for found in bodies.found:
                choices = after.space.choose().with_all(found.answers)
                answers = choices.completed(before.least) if choices else found.answers
                if choices is None or not before.space.allows(answers):
                    yield bodies.path, before.least
                elif _text(before, bodies.path, answers) != _text(after, bodies.path, answers):
                    yield bodies.path, answers


def judge(
    shop: Workshop,
    original: Path,
    mutant: Mutant,
    looked: "AsyncResult[tuple[str, dict[str, Answers]]]",
) -> Verdict:
    """Run the checks that may notice a mutant, the fastest first."""
    problem, changed = looked.get()
    # What they decide is not in a text: a default, what is asked, what an update leaves alone.
    if mutant.path.startswith(("questions/", "extensions/exclude")):
        changed[mutant.path] = shop.defaults
    if problem:
        noticed = "space"
    elif not changed:
        noticed = EQUIVALENT
    else:
        with mutated(original, mutant) as template:
            noticed = (
                noticed_by_tests(mutant, changed)
                or noticed_by_programs(shop, template, changed)
                or noticed_by_project(shop, template, changed)
                or left_out(shop, changed)
            )
    return Verdict(mutant.path, mutant.mistake, noticed)


def noticed_by_tests(mutant: Mutant, changed: Mapping[str, Answers]) -> str:
    """Run this repository's tests of the files concerned, in a checkout with the mutant."""
    paths = [mutant.path, *changed]
    chosen = [test for pattern, test in TESTS.items() if any(re.match(pattern, p) for p in paths)]
    if not chosen:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_checkout(Path(folder) / "checkout")
        mutant.apply(checkout)
        done = pytest(checkout, "--exitfirst", *chosen)
    return "this repository's tests" if done.returncode else ""


def left_out(shop: Workshop, changed: Mapping[str, Answers]) -> str:
    """Whether a project that it changes needs a server that is missing; count it if so."""
    whole = (shop.survey.space.choose().with_all(answers) for answers in changed.values())
    combinations = (choices.completed(shop.defaults) for choices in whole if choices)
    needs = (shop.servers.leave_out(shop.survey.renderer, answers) for answers in combinations)
    return LEFT_OUT if any(needs) else ""


def noticed_by_programs(shop: Workshop, template: Path, changed: Mapping[str, Answers]) -> str:
    """Run the tests of programs that the mutant changes."""
    programs = Programs(Survey(template, Hints.read(template), SAMPLE))
    ran: set[str] = set()
    for answers in [*changed.values()][:MOST_PROGRAMS]:
        combination = programs.survey.space.choose().with_all(answers)
        if combination is None:
            continue
        if shop.servers.needed(shop.survey.renderer, combination.completed(shop.defaults)):
            continue
        program = programs.of(combination.completed(shop.defaults))
        if program.key in ran or program.key == shop.programs.of(program.answers).key:
            continue
        ran.add(program.key)
        if not shop.runner.run(program, PYTEST).passed:
            return "a program's own tests"
    return ""


def noticed_by_project(shop: Workshop, template: Path, changed: Mapping[str, Answers]) -> str:
    """Install, check and start a project that the mutant changes; its tests have run, and ruff."""
    if all(path.endswith(".py") for path in changed):
        return ""
    answers = next(iter(changed.values()))
    if shop.servers.needed(shop.survey.renderer, shop.survey.space.combination(answers)):
        return ""
    with tempfile.TemporaryDirectory() as folder:
        rendered = GeneratedProject.render(template, Path(folder) / "service", answers)
        complete = shop.survey.space.combination(answers)
        project = replace(rendered, variables=shop.survey.variables(complete))
        try:
            project.run("git", "init", "--quiet")
            project.sync()
            project.check()
            with (
                own_database(project) as url,
                Server(project.path, free_port(), clean_environment(**url)) as server,
            ):
                server.wait_until_ready()
        except (CommandError, ServerError, OSError):
            return "a project that is checked and started"
    return ""


@contextmanager
def mutated(original: Path, mutant: Mutant) -> Generator[Path]:
    """Return a copy of the template with the mistake."""
    with tempfile.TemporaryDirectory() as folder:
        template = copy_template(Path(folder) / "template", original)
        mutant.apply(template)
        yield template


@functools.cache
def _survey_of(template: Path) -> Survey:
    return Survey(template, Hints.read(template), SAMPLE)


def _text(survey: Survey, path: str, answers: Answers) -> str | None:
    return survey.renderer.file(path, answers) if path in survey.renderer.sources else None


def _explains(reason: Mapping[str, str], survivor: Verdict) -> bool:
    return bool(re.search(reason["mutant"], f"{survivor.path}: {survivor.mistake}"))


if __name__ == "__main__":
    main()
