"""What would break the update of a service is refused before it is released."""

from pathlib import Path

import pytest

from plinth.harness.releasing import Sides
from plinth.harness.source import REPOSITORY, copy_template

BEFORE = """
_subdirectory: template
_exclude: [nothing]
---
preset: {type: str, choices: [minimal, standard, full, custom], default: standard}
generation: {type: int, ask: false, default: 2}
cache: {type: str, choices: [none, redis], default: "{{ 'redis' if preset == 'full' else 'none' }}"}
server: {type: str, choices: [uvicorn, granian], default: uvicorn}
hidden: {type: str, default: "no", when: false}
extensions:
  type: yaml
  when: false
  default: |
    cache: {{ cache == 'redis' }}
    uvicorn: {{ server == 'uvicorn' }}
    granian: {{ server == 'granian' }}
"""
QUESTION = "metrics: {{type: str, choices: [none, prometheus], default: {default}}}\nextensions:"
PART = "    metrics: {{ metrics == 'prometheus' }}\n"


def template(path: Path, copier: str = BEFORE, **files: str) -> Path:
    """Write a template of a few files; those with an empty text are left out."""
    texts = {"copier.yml": copier, "template/one.py": "1\n", "template/two.py": "2\n", **files}
    for name, text in texts.items():
        if text:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text, "utf-8")
    return path


def problems(path: Path, copier: str = BEFORE, **files: str) -> list[str]:
    """Return what is wrong with a release after the first one."""
    before = template(path / "before")
    return [*Sides(before, template(path / "after", copier, **files)).problems()]


def with_metrics(default: str) -> str:
    """Return the questions with a new one and its part."""
    return BEFORE.replace("extensions:", QUESTION.format(default=default)) + PART


def test_a_release_that_changes_nothing_breaks_nothing(tmp_path: Path) -> None:
    """And neither does one that changes texts, or the first answers of new services."""
    assert problems(tmp_path / "same") == []
    other = BEFORE.replace("default: uvicorn", "default: granian")
    assert problems(tmp_path / "other", other, **{"template/one.py": "one\n"}) == []


def test_this_checkout_breaks_nothing_of_itself(tmp_path: Path) -> None:
    """The template is one that can be compared."""
    copied = copy_template(tmp_path / "template", REPOSITORY)
    assert [*Sides(copied, copied).problems()] == []


SERVER = "server: {type: str, choices: [uvicorn, granian], default: uvicorn}\n"
RENAMED = SERVER.replace("server:", "runner:")
TAKEN_OVER = RENAMED.replace("default: uvicorn", "default: \"{{ server | default('uvicorn') }}\"")


@pytest.mark.parametrize(("new", "refused"), [("", True), (RENAMED, True), (TAKEN_OVER, False)])
def test_a_question_that_goes(tmp_path: Path, new: str, *, refused: bool) -> None:
    """Its answer is taken over, or the release is refused."""
    name = new.partition(":")[0] or "'uvicorn'"
    copier = BEFORE.replace(SERVER, new).replace("{{ server ==", f"{{{{ {name} ==")
    found = problems(tmp_path, copier)
    assert any(p.startswith("The question server is gone") for p in found) is refused
    if not refused:
        assert found == []


def test_a_path_that_goes(tmp_path: Path) -> None:
    """It is named in moves.toml or last in _exclude, or the release is refused."""
    dropped = '[[gone]]\nversion = "0.3.0"\npath = "two.py"\n'
    assert problems(tmp_path / "dropped", **{"template/two.py": "", "moves.toml": dropped}) == []
    (sentence,) = problems(tmp_path / "gone", **{"template/two.py": ""})
    assert sentence.startswith("two.py is gone: say in moves.toml where it is now")
    retired = BEFORE.replace("[nothing]", "[nothing, /two.py]")
    assert problems(tmp_path / "retired", retired, **{"template/two.py": ""}) == []
    move = '[[move]]\nversion = "0.3.0"\nfrom = "two.py"\nto = "three.py"\n'
    moved = {"template/two.py": "", "moves.toml": move}
    assert problems(tmp_path / "moved", **moved, **{"template/three.py": "2\n"}) == []
    assert problems(tmp_path / "nowhere", **moved) == [
        "moves.toml names three.py as the new place of a file: nothing is there."
    ]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("[none, redis]", "[none, valkey]", "An update would change cache="),
        ('default: "no"', 'default: "yes"', "An update would change hidden=no to hidden=yes"),
        ("cache == 'redis'", "preset != 'minimal'", "An update would switch the part cache on"),
        ("cache == 'redis'", "false", "An update would switch the part cache off"),
    ],
)
def test_what_flips_services(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    """A choice that goes, what is computed, and the condition of a part."""
    copier = BEFORE.replace(before, after).replace(
        "'redis' if preset", "'valkey' if preset" if "valkey" in after else "'redis' if preset"
    )
    assert any(problem.startswith(sentence) for problem in problems(tmp_path, copier))


@pytest.mark.parametrize(
    ("default", "refused"),
    [
        ("none", False),
        ("prometheus", True),
        ("\"{{ 'prometheus' if preset == 'full' else 'none' }}\"", True),
        ("\"{{ 'prometheus' if preset == 'full' and generation >= 2 else 'none' }}\"", True),
        ("\"{{ 'prometheus' if preset == 'full' and generation >= 3 else 'none' }}\"", False),
    ],
)
def test_a_new_question(tmp_path: Path, default: str, *, refused: bool) -> None:
    """It is off in services of every generation that there is, and so in the first."""
    found = problems(tmp_path, with_metrics(default))
    told = "An update would answer the new question: metrics=prometheus in services of generation"
    assert any(problem.startswith(told) for problem in found) is refused
    assert bool(found) is refused
