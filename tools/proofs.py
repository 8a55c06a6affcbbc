"""Make each answer do nothing, and see the test fail that proves it: `make proofs`.

The proofs are in extensions/PART/harness.toml and tests/answers.toml. One holds where the named
test fails by its own assertion, and no test fails that has nothing to do with the answer.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from plinth.harness.hints import Hints
from plinth.harness.proofs import Proof, ProofError, prove_by_project, prove_by_repository
from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answers
from tools.programs import SHOWN, Workshop, workshop
from tools.report import command, conclude, nothing_matches, pattern, say


@dataclass(frozen=True)
class Verdict:
    """Why a proof does not hold; it does, if that is empty."""

    proof: Proof
    problem: str


@dataclass(frozen=True)
class Report:
    """The figures of a run. A value has failed where one of its proofs has."""

    values: int
    by_project: int
    by_repository: int
    failed: int
    verdicts: Sequence[Verdict]
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        return (
            f"proofs: {self.values} values, {self.by_project} proved by a test of the project, "
            f"{self.by_repository} by a test of this repository, {self.failed} failed, "
            f"{self.seconds:.0f} s"
        )


def main() -> None:
    """Try every proof, or those that match, and report."""
    parser = command("proofs", __doc__)
    parser.add_argument(
        "--match", type=pattern, default="", help="a pattern of QUESTION=ANSWER: TEST"
    )
    given = parser.parse_args()
    started = time.monotonic()
    proofs = [*Proof.read(Hints.read(REPOSITORY))]
    chosen = [proof for proof in proofs if given.match.search(str(proof))]
    if not chosen:
        nothing_matches(parser, given.match.pattern, map(str, proofs))
    verdicts: list[Verdict] = []
    with workshop(None) as shop, ThreadPoolExecutor(os.cpu_count()) as pool:
        combinations = [(proof, proof.combination(shop.survey.space)) for proof in chosen]
        trials = [
            (proof, answers)
            for proof, answers in combinations
            if proof.by or not shop.servers.leave_out(shop.survey.renderer, answers)
        ]
        for done in as_completed([pool.submit(judge, shop, *trial) for trial in trials]):
            verdict = done.result()
            verdicts.append(verdict)
            told = f"DOES NOT HOLD: {verdict.problem}" if verdict.problem else "holds"
            say(f"{len(verdicts)}/{len(trials)} {verdict.proof} {told}")
    report = summarise(verdicts, time.monotonic() - started)
    conclude(report, failed=bool(report.failed), as_json=given.json)


def judge(shop: Workshop, proof: Proof, answers: Answers) -> Verdict:
    """Try a proof and say what came of it."""
    try:
        if proof.by:
            prove_by_repository(proof)
        else:
            prove_by_project(proof, shop.programs.of(answers), shop.runner)
    except ProofError as error:
        printed = "".join(note[-SHOWN:] for note in getattr(error, "__notes__", ()))
        return Verdict(proof, f"{error}\n{printed}")
    return Verdict(proof, "")


def summarise(verdicts: Sequence[Verdict], seconds: float) -> Report:
    """Count the values by what proves them."""
    values = {(v.proof.question, v.proof.answer) for v in verdicts}
    failed = {(v.proof.question, v.proof.answer) for v in verdicts if v.problem}
    project = {(v.proof.question, v.proof.answer) for v in verdicts if v.proof.test}
    return Report(
        values=len(values),
        by_project=len(project - failed),
        by_repository=len(values - project - failed),
        failed=len(failed),
        verdicts=verdicts,
        seconds=seconds,
    )


if __name__ == "__main__":
    main()
