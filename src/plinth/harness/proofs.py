"""Proofs that an answer has an effect: a test that fails when the effect is removed."""

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from plinth.harness.environment import ENVIRONMENTS
from plinth.harness.hints import Hints
from plinth.harness.linters import TOOLS
from plinth.harness.programs import Program
from plinth.harness.project import LITTER, clean_environment
from plinth.harness.runner import SECONDS, SERVER, Runner
from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answer, Answers, AnswerSpace

ANSWERS = REPOSITORY / "tests" / "answers.toml"


class ProofError(Exception):
    """A proof does not hold; the message says why."""


@dataclass(frozen=True)
class Proof:
    """A change that removes the effect of an answer, and the test that must then fail.

    Either `test`, one of the project with this answer, and the change is to that project; or `by`,
    one of this repository, and the change is to the template.
    """

    question: str
    answer: Answer
    path: str
    before: str
    after: str
    test: str = ""
    by: str = ""
    reason: str = ""
    given: Answers = field(default_factory=dict[str, Answer])
    related: Sequence[str] = ()

    @classmethod
    def read(cls, hints: Hints, file: Path = ANSWERS) -> Iterator["Proof"]:
        """Yield each proof: those of the parts, and those of answers without a part."""
        for entry in (*hints.proofs, *tomllib.loads(file.read_text("utf-8"))["proof"]):
            for answer in entry["answers"]:
                rest = {name: value for name, value in entry.items() if name != "answers"}
                by = entry.get("by", "").replace("{answer}", str(answer))
                yield cls(answer=answer, **{**rest, "by": by})

    def __str__(self) -> str:
        """Return the answer and the test."""
        return f"{self.question}={self.answer}: {self.test or self.by}"

    def neutralise(self, files: Mapping[str, str]) -> dict[str, str]:
        """Return the files with the change.

        Raises ProofError where its place is not clear, or nothing changes.
        """
        text = files.get(self.path, "")
        if (count := text.count(self.before)) != 1:
            raise ProofError(f"{self.path} has {count} times, not once: {self.before}")
        if self.before == self.after:
            raise ProofError(f"nothing changes in {self.path}")
        return {**files, self.path: text.replace(self.before, self.after)}

    def combination(self, space: AnswerSpace) -> Answers:
        """Return this answer, those given, and the defaults.

        Raises ProofError where they do not go together.
        """
        answers = space.combination({self.question: self.answer, **self.given})
        if not space.allows(answers):
            raise ProofError(f"these do not go together: {answers}")
        return answers

    def check(self, status: int, failed: Collection[str], asserted: Collection[str]) -> None:
        """Judge a run with the change by the tests that failed, and those of them by assertion.

        Raises ProofError where the test did not fail so, or one failed that has nothing to do with
        it.
        """
        if status not in {0, 1}:
            raise ProofError(f"the tests did not run: pytest ended with status {status}")
        named = self.test or self.by
        own = {name for name in failed if name == named or name.startswith(f"{named}[")}
        if not own:
            raise ProofError("the test does not fail")
        if others := own - {*asserted}:
            raise ProofError(f"fails, but not by an assertion of its own: {sorted(others)}")
        if others := {name for name in failed if not name.startswith(self._related)}:
            raise ProofError(f"unrelated tests fail: {sorted(others)}")

    @property
    def _related(self) -> tuple[str, ...]:
        """Prefixes of the tests that may fail."""
        file = (self.test or self.by).partition("::")[0]
        folder = PurePosixPath(file).parent
        return (file if folder.name == "tests" else f"{folder}/", *self.related)


def prove_by_project(proof: Proof, program: Program, runner: Runner) -> None:
    """Run the test in the project as it is, then all of its tests with the change.

    Raises ProofError, with what pytest printed as a note.
    """
    changed = replace(program, tree=proof.neutralise(program.tree))
    outcome = runner.run(program, [proof.test])
    with noting(outcome.log):
        if not outcome.passed:
            raise ProofError("the test is not there, or fails without the change too")
    outcome = runner.run(changed)
    with noting(outcome.log):
        proof.check(outcome.status, outcome.failed, outcome.asserted)


def prove_by_repository(proof: Proof) -> None:
    """Run a test of this repository with the change; without it, `make test` does.

    Raises ProofError, with what pytest printed as a note.
    """
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_checkout(Path(folder) / "checkout")
        text = (checkout / proof.path).read_text("utf-8")
        changed = proof.neutralise({proof.path: text})
        (checkout / proof.path).write_text(changed[proof.path], "utf-8")
        log = Path(folder) / "log"
        told = run_tests(checkout, log, proof.by)
        with noting(log.read_text("utf-8", errors="replace")):
            proof.check(told["status"], told["failed"], told["asserted"])


@contextmanager
def noting(log: str) -> Generator[None]:
    """Add what pytest printed to a ProofError."""
    try:
        yield
    except ProofError as error:
        error.add_note(log)
        raise


def copy_checkout(into: Path) -> Path:
    """Copy this checkout, uncommitted changes included, with the tools and environments it has."""
    litter = shutil.ignore_patterns(*(LITTER - {".git"}), TOOLS.name)
    shutil.copytree(REPOSITORY, into, ignore=litter)
    for made in (TOOLS, ENVIRONMENTS):
        there = into / made.relative_to(REPOSITORY)
        there.parent.mkdir(exist_ok=True)
        there.symlink_to(made)
    return into


def run_tests(folder: Path, log: Path, *arguments: str) -> dict[str, Any]:
    """Run pytest as a program's tests are run, and return what is told of it."""
    task: dict[str, object] = {
        "folder": str(folder),
        "log": str(log),
        "seconds": SECONDS,
        "arguments": arguments,
        "variables": {},
    }
    done = subprocess.run(
        [sys.executable, SERVER],
        env=clean_environment(PYTHONPATH=str(folder / "src")),  # the package of that checkout
        input=f"{json.dumps(task)}\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
