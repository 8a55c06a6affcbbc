"""The checks find what they are for: each is shown one fault, and a file without."""

from pathlib import Path

import pytest

from plinth.harness import checks


@pytest.mark.parametrize(
    "text",
    [
        "{{ name }}\n",
        "{% if x %}\n",
        "{# note #}\n",
        "blank \n",
        "no newline",
        "two\n\n",
        "\nfirst\n",
    ],
)
def test_text(text: str) -> None:
    """Leftovers of rendering are found."""
    assert list(checks.check_text("README.md", text))


def test_text_of_workflows() -> None:
    """GitHub's own expressions are no leftovers."""
    assert not list(checks.check_text(".github/workflows/ci.yml", "run: ${{ matrix.python }}\n"))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "def\n"),
        ("a.toml", "a = \n"),
        ("a.yml", "a: b: c\n"),
        ("a.yml", "a: 1\na: 2\n"),
        ("a.json", "{,}\n"),
    ],
)
def test_syntax(path: str, text: str) -> None:
    """A file that its own tool cannot read is found."""
    assert list(checks.check_syntax(path, text))


@pytest.mark.parametrize(
    "paths",
    [["readme.md", "README.md"], ["src/aux.py"], ['a"b'], ["a:b"], ["ends."], ["x" * 200]],
)
def test_names(paths: list[str]) -> None:
    """A path that Windows refuses is found."""
    assert list(checks.check_names(paths))


def test_mentions() -> None:
    """A mention is found in a text and in a name, and a part of a longer word is none."""
    absent = {r"\bty\b": "type_checker is mypy"}
    assert list(checks.check_mentions({"a": "uv run ty check"}, absent))
    assert list(checks.check_mentions({"ty.toml": ""}, absent))
    assert not list(checks.check_mentions({"a": "quality"}, absent))


def test_ruff(tmp_path: Path) -> None:
    """Ruff's findings and its formatter's both count, each once for all projects."""
    for number in (0, 1):
        file = tmp_path / str(number) / "bad.py"
        file.parent.mkdir()
        file.write_text("import os\nx = {  }\n", encoding="utf-8")
    *_, unused, unformatted = found = [*checks.ruff_findings(tmp_path)]
    assert unused.startswith("ruff check --output-format=concise: bad.py:1:8: F401 ")
    assert unformatted == "ruff format --check: bad.py:2:1"
    assert len(set(found)) == len(found)
    for number in (0, 1):
        (tmp_path / str(number) / "bad.py").write_text("x = {}\n", encoding="utf-8")
    assert not list(checks.ruff_findings(tmp_path))
