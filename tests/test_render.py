"""Every combination of the questions is rendered, and every file that comes out is checked."""

import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.harness import checks
from tests.harness.space import Answer, Answers, AnswerSpace
from tests.harness.project import GeneratedProject
from tests.harness.source import copy_template

# They change a few lines of a few files each, so their answers take turns instead of multiplying.
TAKE_TURNS = ("license", "python_version")

# Besides its own name: what nothing may mention where an answer is not this one.
BELONGS_TO: Mapping[tuple[str, Answer], str] = {
    ("auth", "jwt"): r"(?i)\b(py)?jwt\b|pwdlib|argon2|/auth\b|/users\b|APP_AUTH|app\.(auth|users)",
    ("example", True): r"\bItem\b|\bitems_router\b|/items\b|app\.items|\bitems?\b domain",
}
# Answers of which any file may speak: texts, words of every day, and every supported Python.
EVERYWHERE = {"none", "preset", *TAKE_TURNS}
# The record of the answers, those not taken in other projects included.
RECORD = ".copier-answers.yml"


def combinations(space: AnswerSpace) -> Iterator[Answers]:
    """Yield all combinations of what changes behaviour; the other answers take turns along."""
    factors = space.factors()
    turns = itertools.cycle(itertools.product(*(factors[name] for name in TAKE_TURNS)))
    behaviour = set(factors) - set(TAKE_TURNS)
    for answers, texts in zip(space.combinations(only=behaviour), turns, strict=False):
        yield {**answers, **dict(zip(TAKE_TURNS, texts, strict=True))}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each combination."""
    if "answers" not in metafunc.fixturenames:
        return
    with tempfile.TemporaryDirectory() as folder:
        found = list(combinations(AnswerSpace(copy_template(Path(folder) / "template"))))
    metafunc.parametrize("answers", found, ids=["-".join(map(str, a.values())) for a in found])


def off(answers: Answers, factors: Mapping[str, tuple[Answer, ...]]) -> dict[str, str]:
    """Patterns of what a project with these answers may not mention, each with the reason."""
    patterns: dict[str, str] = {}
    for name, values in factors.items():
        for value in values:
            if value == answers[name] or name in EVERYWHERE:
                continue
            reason = f"{name} is {answers[name]}"
            if isinstance(value, str) and value not in EVERYWHERE:
                patterns[rf"(?i)(?<![\w-]){value}(?![\w-])"] = reason
            if more := BELONGS_TO.get((name, value)):
                patterns[more] = reason
    return patterns


def test_rendered(
    answers: Answers,
    template: Path,
    space: AnswerSpace,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The combination renders, and each of its files is what a careful person would commit."""
    project = GeneratedProject.render(template, tmp_path / "service", answers)
    files = project.tree()
    problems = [
        *checks.check_names(files),
        *itertools.chain.from_iterable(checks.check_text(*file) for file in files.items()),
        *itertools.chain.from_iterable(checks.check_syntax(*file) for file in files.items()),
        *checks.ruff_findings(project.path),
    ]
    described = {path: text for path, text in files.items() if path != RECORD}
    problems += checks.check_mentions(described, off(answers, space.factors()))
    record_property("combinations", 1)
    record_property("files", [_digest(path, text) for path, text in files.items()])
    assert not problems, "\n".join(problems)


def test_each_answer_is_rendered(space: AnswerSpace) -> None:
    """No answer is left out by the turns that some questions take."""
    rendered = {(name, value) for answers in combinations(space) for name, value in answers.items()}
    legal = {(name, value) for name, values in space.factors().items() for value in values}
    assert rendered == legal
    assert len(legal) >= 2 * len(space.factors()), "a question without a choice"


def _digest(path: str, text: str) -> str:
    return hashlib.sha256(f"{path}\0{text}".encode()).hexdigest()
