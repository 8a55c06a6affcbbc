"""Make mistakes in the code of generated projects: `make code-mutants ANSWERS="preset=standard"`.

Each of a sample of mutants is run against the project's own tests and the machinery's. What no test
notices survives, and is listed. A run that was interrupted continues where it stopped.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from plinth.harness.code_mutants import CodeMutant, sampled
from plinth.harness.memory import Memory, digest
from plinth.harness.programs import Program
from plinth.harness.space import parse
from tools.programs import Workshop, reason, workshop
from tools.report import add_forget, command, conclude, positive, progress, say


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    answers: str
    mutants: int
    killed: int
    survivors: Sequence[str]
    seconds: float

    def __str__(self) -> str:
        """Return the closing line."""
        share = 100 * self.killed / self.mutants if self.mutants else 0
        return (
            f"code-mutants: {self.answers or 'defaults'}: {self.mutants} mutants, "
            f"{self.killed} noticed by a test ({share:.1f} %), {len(self.survivors)} survive, "
            f"{self.seconds:.0f} s"
        )


def main() -> None:
    """Sample, run, report; fails where fewer are noticed than is asked for."""
    parser = command("code-mutants", __doc__)
    add_forget(parser)
    parser.add_argument("--answers", default="", help="NAME=ANSWER …")
    parser.add_argument("--sample", type=positive, default=300, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="another number takes another sample")
    parser.add_argument("--least", type=float, default=85, help="per cent that must be noticed")
    given = parser.parse_args()
    started = time.monotonic()
    with workshop(None) as shop:
        try:
            program = shop.programs.of(parse(shop.survey.space, given.answers.split()))
        except ValueError as error:
            parser.error(str(error))
        say("code-mutants: the tests without a mutant")
        outcome = shop.runner.run(program)
        if not outcome.passed:
            say(reason(outcome))
            parser.error(f"the tests fail without a mutant: {' '.join(outcome.failed)}")
        mutants = sampled(program.tree, given.sample, given.seed)
        judged = judge_all(shop, program, mutants)
        verdicts = [*progress(judged, "mutants", len(mutants), "mutant")]
    survivors = sorted(str(mutant) for mutant, killed in verdicts if not killed)
    for survivor in survivors:
        say(f"survives: {survivor}")
    killed = len(verdicts) - len(survivors)
    report = Report(given.answers, len(verdicts), killed, survivors, time.monotonic() - started)
    conclude(report, failed=killed < len(verdicts) * given.least / 100, as_json=given.json)


def judge_all(
    shop: Workshop, program: Program, mutants: Sequence[CodeMutant]
) -> Iterator[tuple[CodeMutant, bool]]:
    """Yield each mutant, and whether a test notices it."""
    memory = Memory.of("code-mutants")
    keys = {mutant: digest(program.key, mutant.path, mutant.text) for mutant in mutants}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = {
            pool.submit(is_killed, shop, program, mutant): mutant
            for mutant, key in keys.items()
            if key not in memory
        }
        yield from ((m, memory.recall(key)["killed"]) for m, key in keys.items() if key in memory)
        for done in as_completed(waiting):
            mutant = waiting[done]
            memory.add(keys[mutant], mutant=str(mutant), killed=done.result())
            yield mutant, done.result()


def is_killed(shop: Workshop, program: Program, mutant: CodeMutant) -> bool:
    """Whether the tests fail with the mutant; those of its own package run first."""
    changed = replace(program, tree={**program.tree, mutant.path: mutant.text})
    package = PurePosixPath(mutant.path).parent.name
    near = f"tests/{package}/"
    first = [near] if any(path.startswith(near) for path in program.tree) else []
    options = ["-x", "-p", "no:randomly", *first, "tests"]
    return not shop.runner.run(changed, options).passed


if __name__ == "__main__":
    main()
