"""Whatever people write into a name, a description or an author works or is refused clearly."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

from plinth.harness import checks
from plinth.harness.command import copier
from plinth.harness.project import GeneratedProject

QUESTIONS = ("project_name", "project_description", "author_name")
TEXTS = {
    "unicode": "Ünïcode Café",
    "quotes": """it's "quoted\"""",
    "expressions": "${{ x }} {% y %}",
    "arithmetic": "{{ 7*7 }}",
    "number": "123",
    "module": "test",
    "keyword": "class",
    "long": "x" * 200,
    "emoji": "🦊 fox",
    "backslash": "ends in \\",
    "yaml": "a: b # c",
}
REFUSED = {
    ("project_name", "two\nlines"): "No control characters.",
    ("project_description", "two\nlines"): "No control characters.",
    ("author_name", "two\nlines"): "No control characters.",
    ("project_name", "bell\a"): "No control characters.",
    ("project_name", ""): "It needs a letter or a digit.",
    ("project_name", "!?"): "It needs a letter or a digit.",
    ("project_name", "x" * 201): "At most 200 characters.",
    ("project_slug", "My Service"): "Use a-z, 0-9, -; a letter first.",
    ("project_slug", "double--hyphen"): "No double or final hyphen.",
    ("author_email", "nobody"): "This is not an e-mail address.",
}


def copy(text: str, target: Path, template: Path) -> GeneratedProject:
    """Give the same answer to each of the questions, and leave the others."""
    given = [word for question in QUESTIONS for word in ("-d", f"{question}={text}")]
    done = copier("copy", "--defaults", *given, str(template), str(target))
    assert done.returncode == 0, done.stderr
    return GeneratedProject(target, dict.fromkeys(QUESTIONS, text))


def application(source: str) -> dict[str, object]:
    """Return the literals that the application is created with, by the parameter."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    [call] = (call for call in calls if ast.unparse(call.func) == "Service")
    return {
        keyword.arg: keyword.value.value
        for keyword in call.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
    }


def held(question: str, files: dict[str, str]) -> dict[str, Any]:
    """Say what the project's files hold of an answer, by the file."""
    project = tomllib.loads(files["pyproject.toml"])["project"]
    texts = application(files["src/app/main.py"])
    places: dict[str, dict[str, Any]] = {
        "project_name": {"main.py": texts["title"]},
        "project_description": {
            "pyproject.toml": project.get("description"),
            "main.py": texts.get("summary"),
        },
        "author_name": {"pyproject.toml": project.get("authors", [{}])[0].get("name")},
    }
    return places[question]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_works(text: str, template: Path, tmp_path: Path) -> None:
    """The text arrives, to the letter, where it belongs, and breaks nothing around it."""
    project = copy(text, tmp_path / "service", template)
    files = project.tree()
    for path, source in files.items():
        assert not list(checks.check_syntax(path, source))
    assert not "\n".join(checks.ruff_findings(project.path))
    for question in QUESTIONS:
        assert held(question, files) == dict.fromkeys(held(question, files), text)
    assert text in files["LICENSE"]
    assert files["README.md"].startswith(f"# {text}\n\n{text}\n")


def test_awkward_text_installs(template: Path, tmp_path: Path) -> None:
    """The service that bears all that is awkward builds, imports and says its name."""
    text = " ".join(TEXTS[kind] for kind in TEXTS if kind != "long")
    project = copy(text, tmp_path / "service", template)
    project.sync()
    settings = "environment='test', database_url='postgresql+psycopg://'"
    script = (
        "from app.core.config import Settings; from app.main import create_app; "
        f"app = create_app(Settings({settings})); print(ascii([app.title, app.summary]))"
    )
    shown = project.run("uv", "run", "python", "-c", script)
    assert ascii([text, text]) in shown


@pytest.mark.parametrize(("question", "text"), REFUSED)
def test_is_refused(question: str, text: str, template: Path, tmp_path: Path) -> None:
    """The last line says why, the exit status is 1, and no file is written."""
    target = tmp_path / "service"
    done = copier("copy", "--defaults", "-d", f"{question}={text}", str(template), str(target))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith(REFUSED[question, text])
    assert not target.exists()
