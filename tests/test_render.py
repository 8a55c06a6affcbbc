"""Every three answers that go together are rendered, and every file that comes out is checked."""

import hashlib
import itertools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.harness import checks
from tests.harness.coverage import covering_array
from tests.harness.project import GeneratedProject
from tests.harness.source import copy_template
from tests.harness.space import Answer, Answers, AnswerSpace

# Any three answers meet in one of the combinations.
STRENGTH = 3

# Besides its own name: what nothing may mention where an answer is not this one.
BELONGS_TO: Mapping[tuple[str, Answer], str] = {
    ("auth", "jwt"): r"(?i)\b(py)?jwt\b|pwdlib|argon2|/auth\b|/users\b|APP_AUTH|app\.(auth|users)",
    ("ci", "github"): r"\.github\b|\b[Ww]orkflows?\b",
    ("container", True): r"(?i)docker|\bcompose\b|testcontainers|TEST_DATABASE=container",
    ("example", True): r"\bItem\b|\bitems_router\b|/items\b|app\.items|\bitems?\b domain",
    ("pre_commit", True): r"(?i)\bprek\b|pre-(commit|push)",
}
# Answers of which any file may speak: texts, words of every day, and every supported Python.
EVERYWHERE = {"none", "preset", "license", "python_version"}
# The record of the answers, those not taken in other projects included.
RECORD = ".copier-answers.yml"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each row of a covering array."""
    if "answers" not in metafunc.fixturenames:
        return
    with tempfile.TemporaryDirectory() as folder:
        found = covering_array(AnswerSpace(copy_template(Path(folder) / "template")), STRENGTH)
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
                # The host of a link is nobody's part.
                patterns[rf"(?i)(?<![\w-]){value}(?![\w-]|\.com\b)"] = reason
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


def _digest(path: str, text: str) -> str:
    return hashlib.sha256(f"{path}\0{text}".encode()).hexdigest()
