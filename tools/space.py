"""Look at every combination of answers: `make space`.

Each text that the template can produce is checked once, alone and against the others; then a sample
of whole projects is compared, byte for byte, with what Copier writes.
"""

import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.hints import Hints
from plinth.harness.project import GeneratedProject
from plinth.harness.render import Renderer
from plinth.harness.simulate import add_question
from plinth.harness.source import REPOSITORY, copy_template, isolated
from plinth.harness.space import EVERYTHING, Answers
from plinth.harness.survey import Survey
from tools.report import command, conclude, say

COMPARED = 500


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    combinations: int
    texts: int
    files: int
    by_chunks: Sequence[str]
    texts_by_chunks: int
    trees: int
    claims: int
    seconds: float
    compared: int
    compare_seconds: float
    problems: Sequence[str]

    def __str__(self) -> str:
        """Return the closing line."""
        found = f"{len(self.problems)} problems" if self.problems else "no problem"
        return (
            f"space: {self.combinations} combinations, {self.texts} distinct texts of "
            f"{self.files} files, all checked, and {self.texts_by_chunks} by chunks "
            f"({', '.join(self.by_chunks)}), {self.claims} claims between texts, "
            f"{self.trees} trees for ruff: {found}, {self.seconds:.0f} s; "
            f"{self.compared} projects compared with Copier's, {self.compare_seconds:.0f} s"
        )


def main() -> None:
    """Survey, compare, report; the exit status says whether anything is wrong."""
    parser = command("space", __doc__)
    parser.add_argument("--template", type=Path, help="another template than this checkout's")
    parser.add_argument("--compare", type=int, default=COMPARED, help="projects to compare")
    parser.add_argument(
        "--more", type=int, default=0, metavar="N", help="simulate so many questions more"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        template = copy_template(Path(folder) / "template", given.template or REPOSITORY)
        for number in range(given.more):
            add_question(template, f"simulated{number}", ["none", "some"])
        report = survey(template, given.compare)
    for problem in report.problems:
        say(problem)
    conclude(report, failed=bool(report.problems), as_json=given.json)


def survey(template: Path, compare: int = 0) -> Report:
    """Look at a template, and compare so many of its projects with Copier's."""
    started = time.monotonic()
    found = Survey(template, Hints.read(template))
    say(f"space: {len(found.space)} combinations, rendering")
    texts = {
        bodies.path: {body.result for body in bodies.found}
        for bodies in found.bodies
        if not bodies.by_chunks
    }
    by_chunks = [bodies for bodies in found.bodies if bodies.by_chunks]
    say("space: checking")
    problems = [*found.problems()]
    surveyed = time.monotonic()
    if compare:
        say(f"space: comparing {compare} projects with Copier's")
        problems += differences(template, compare)
    return Report(
        combinations=len(found.space),
        texts=sum(map(len, texts.values())),
        files=len(texts),
        by_chunks=[bodies.path for bodies in by_chunks],
        texts_by_chunks=sum(len({body.result for body in b.found}) for b in by_chunks),
        trees=len(found.trees),
        claims=len(found.claims),
        seconds=surveyed - started,
        compared=compare,
        compare_seconds=time.monotonic() - surveyed,
        problems=problems,
    )


def differences(template: Path, count: int) -> Iterator[str]:
    """Yield in what a random project, as Copier writes it, is another than ours."""
    generator = random.Random()  # noqa: S311 - it picks what is compared; other ones in each run
    renderer = Renderer(template)
    sample = [renderer.space.sample(generator) for _ in range(count)]
    # Not forked: Copier has threads of its own.
    with multiprocessing.get_context("spawn").Pool() as pool:
        batches = [(template, sample[start::8]) for start in range(8)]
        for found in pool.imap_unordered(_differ, batches):
            yield from found


def _differ(batch: tuple[Path, Sequence[Answers]]) -> list[str]:
    """Return what differs in some projects, in a process of its own."""
    template, sample = batch
    renderer = Renderer(template)
    found: list[str] = []
    for answers in sample:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "project"
            theirs = GeneratedProject.render(template, path, {**EVERYTHING, **answers}).tree()
        ours = renderer.tree(answers)
        paths = sorted(p for p in ours.keys() | theirs.keys() if ours.get(p) != theirs.get(p))
        found += [f"{path}: not as Copier writes it, {answers}" for path in paths]
    return found


if __name__ == "__main__":
    main()
