"""The smallest set of answers that still fails."""

from collections.abc import Callable, Iterator

from plinth.harness.space import Answers, AnswerSpace, argument


def smallest(
    space: AnswerSpace, failing: Answers, base: Answers, fails: Callable[[Answers], bool]
) -> Answers:
    """Return those answers of a failing combination without which it would not fail.

    All others are as in `base`, which is legal. `fails` is asked about legal combinations only.
    """
    current = {**failing}
    shorter = True
    while shorter:
        shorter = False
        for simpler in _simpler(space, current, base):
            if space.allows(simpler) and fails(simpler):
                current, shorter = {**simpler}, True
                break
    return {name: answer for name, answer in current.items() if answer != base[name]}


def _simpler(space: AnswerSpace, answers: Answers, base: Answers) -> Iterator[Answers]:
    """Yield combinations closer to the base: first by groups of questions, then by one."""
    different = {name for name, answer in answers.items() if answer != base[name]}
    groups = [different & {*group.names} for group in space.groups]
    for names in [group for group in groups if len(group) > 1] + [{n} for n in sorted(different)]:
        yield {**answers, **{name: base[name] for name in names}}


def command_line(answers: Answers) -> str:
    """Return the command that creates a project with these answers, and other defaults."""
    data = [f"--data {argument(name, answer)}" for name, answer in answers.items()]
    return " ".join(["copier copy --defaults", *data, "TEMPLATE PROJECT"])
