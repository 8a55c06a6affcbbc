"""The survey finds what it is for, follows new questions, and agrees with Copier."""

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from plinth.harness.hints import Hints
from plinth.harness.project import GeneratedProject
from plinth.harness.render import Reading, Renderer
from plinth.harness.shrink import command_line, smallest
from plinth.harness.simulate import add_question
from plinth.harness.source import copy_template
from plinth.harness.space import EVERYTHING, Answers, AnswerSpace
from plinth.harness.survey import Survey

SAMPLE = 5

# A mistake: where, what is there, what takes its place, and what the survey says of it.
MISTAKES = {
    "dependency missing": (
        "extensions/jwt/dependencies",
        '    "pyjwt>=2.15",\n',
        "",
        "imports jwt, which is not declared with auth=jwt",
    ),
    "dependency of development in the service": (
        "template/src/app/main.py.jinja",
        'shutdown."""\n\n',
        'shutdown."""\n\nimport psutil\n',
        "imports psutil, which is not declared",
    ),
    "dependency unused": (
        "extensions/psycopg/dependencies",
        '",\n',
        '",\n    "email-validator>=2.2",\n',
        "requires email-validator, which nothing uses with database_driver=psycopg, auth=none",
    ),
    "types that nobody needs": (
        "extensions/celery_redis/owns",
        "typings/kombu/utils\n",
        "",
        "has types of kombu.utils, which nothing imports with tasks=celery, broker=rabbitmq",
    ),
    "setting without example": (
        "template/src/app/core/config.py.jinja",
        "    api_prefix: str",
        "    forgotten: int = 1\n    api_prefix: str",
        "has APP_FORGOTTEN, not in .env.example",
    ),
    "example without setting": (
        "extensions/jwt/env",
        "APP_AUTH_ARGON2_MEMORY=19456\n",
        "APP_AUTH_ARGON2_MEMORY=19456\nAPP_AUTH_NOTHING=1\n",
        "names APP_AUTH_NOTHING, which is no setting with auth=jwt",
    ),
    "compose with no setting": (
        "template/compose.yaml.jinja",
        "    APP_ENVIRONMENT: development\n",
        "    APP_ENVIRONMENT: development\n    APP_NOTHING: 1\n",
        "names APP_NOTHING, which is no setting with container=True",
    ),
    "target missing": (
        "template/AGENTS.md.jinja",
        "- `make run` serves",
        "- `make nothing` is none.\n- `make run` serves",
        "says make nothing, no such target with database=",
    ),
    "target missing in a workflow": (
        "template/.github/workflows/ci.yaml.jinja",
        "- run: make check",
        "- run: make naught",
        "says make naught, no such target with ci=github",
    ),
    "name of a part that is off": (
        "template/AGENTS.md.jinja",
        "- `make run` serves",
        "- Argon2 is slow.\n- `make run` serves",
        "names 'Argon2', which is not there with database=sqlite, auth=none",
    ),
    "setting of a part that is off": (
        "template/AGENTS.md.jinja",
        "- `make run` serves",
        "- APP_AUTH_SECRET is one.\n- `make run` serves",
        "names APP_AUTH_SECRET, which is no setting with database=sqlite, auth=none",
    ),
    "import of a part that is off": (
        "template/src/app/main.py.jinja",
        'shutdown."""\n\n',
        'shutdown."""\n\nimport app.auth\n',
        "imports app.auth, which is not there with auth=none",
    ),
    "file that a part forgot to own": (
        "extensions/jwt/owns",
        "tests/auth\n",
        "",
        "tests/auth/test_auth.py: imports ",
    ),
    "path that Windows refuses": (
        "template/tests/aux.py",
        "",
        '"""Tests."""\n',
        "tests/aux.py: 'aux.py' is not legal on Windows",
    ),
    "blank at the end of a line": (
        "extensions/jwt/readme.md",
        "## Users and tokens\n",
        "## Users and tokens \n",
        "blanks at the end of the line",
    ),
    "tag left over": (
        "template/Makefile.jinja",
        "PORT ?= 8000\n",
        "PORT ?= 8000\n{% raw %}# {{ nothing }}{% endraw %}\n\n",
        "leftover Jinja: # {{ nothing }}",
    ),
    "key twice": (
        "extensions/postgresql/compose",
        "      POSTGRES_DB: app\n",
        "      POSTGRES_DB: app\n      POSTGRES_DB: other\n",
        "'POSTGRES_DB' stands 2 times",
    ),
    "unused import in a variant": (
        "extensions/asyncpg/variants/src/app/outbox/wakeup.py",
        '"""\n\n',
        '"""\n\nimport decimal\n',
        "F401 [*] `decimal` imported but unused",
    ),
    "order of imports in one project": (
        "extensions/jwt/import",
        "from app.auth",
        "from  app.auth",
        "src/app/parts.py: not as ruff formats it",
    ),
}  # fmt: skip


def make(mistakes: Mapping[str, tuple[str, str, str, str]], template: Path) -> None:
    """Make mistakes. Raises ValueError where one finds no place."""
    for mistake, (path, before, after, _) in mistakes.items():
        file = template / path
        text = file.read_text("utf-8") if file.exists() else ""
        if before not in text:
            raise ValueError(f"{path} has no {before!r} any more, for the mistake {mistake!r}")
        file.write_text(text.replace(before, after, 1) if before else after, "utf-8")


def test_finds_each_mistake(template: Path, tmp_path: Path) -> None:
    """All are made at once, for a survey takes its time, and each is told.

    One is about a question that nothing names: it is counted, rendered and checked as others are.
    """
    copy = copy_template(tmp_path / "template", template)
    add_question(copy, "colour", ["none", "red", "green"])
    new = (
        "template/AGENTS.md.jinja",
        "- `make run` serves",
        "- app.colour_red is of no use.\n- `make run` serves",
        "names 'app.colour_red', which is not there with database=sqlite, colour=",
    )
    wordless = (
        "extensions/colour_green/harness.toml",
        "words = ",
        "# ",
        "extensions/colour_green/harness.toml: say by `words` which words of prose name",
    )
    mistakes = {**MISTAKES, "name of a new part": new, "part without words": wordless}
    make(mistakes, copy)
    problems = [*Survey(copy, Hints.read(copy), SAMPLE).problems()]
    unseen = [m for m, (*_, told) in mistakes.items() if not any(told in p for p in problems)]
    assert not unseen, "\n".join([f"not told: {unseen}", *problems])
    findings = [p for p in problems if "F401" in p]
    assert len(findings) == len({*findings})
    claims = [number for number, p in enumerate(problems) if "auth=none" in p]
    assert max(claims) < min(problems.index(finding) for finding in findings)


def test_a_mistake_without_a_place_is_told(template: Path) -> None:
    """Else a changed template would take a mistake's place away without a word."""
    gone = {"gone": ("copier.yml", "no such text", "", "")}
    with pytest.raises(ValueError, match=r"copier.yml has no 'no such text' any more"):
        make(gone, template)


def test_finds_nothing_here(template: Path, tmp_path: Path) -> None:
    """The template has none of the mistakes, with a new question neither; `make space` sees more.

    The new parts are imported, installed and required as others are.
    """
    copy = copy_template(tmp_path / "template", template)
    add_question(copy, "colour", ["none", "red", "green"])
    survey = Survey(copy, Hints.read(copy), SAMPLE)
    assert len(survey.space) == 3 * len(AnswerSpace(template))
    assert "src/app/colour_red/__init__.py" in survey.renderer.sources
    red = survey.renderer.tree({**survey.least, "colour": "red"})
    assert "install_colour_red(app)" in red["src/app/parts.py"]
    assert not [*survey.problems()]


def test_keeps_apart_what_excludes_each_other(template: Path, tmp_path: Path) -> None:
    """A part that wants an older version has it, and the others have the newest."""
    copy = copy_template(tmp_path / "template", template)
    add_question(copy, "colour", ["none", "red"])
    with (copy / "extensions" / "psycopg" / "dependencies").open("a", encoding="utf-8") as share:
        share.write('    "toolz>=0.12",\n')
    with (copy / "extensions" / "colour_red" / "dependencies").open("a", encoding="utf-8") as share:
        share.write('    "toolz<1",\n')
    hints = Hints.read(copy)
    survey = Survey(copy, replace(hints, apart=[*hints.apart, "colour_red"]), SAMPLE)
    versions = {
        colour: survey.environment({"colour": colour}).version("toolz")
        for colour in ("none", "red")
    }
    assert versions["red"].startswith("0.")
    assert int(versions["none"].partition(".")[0]) >= 1


def test_renders_as_copier_does(template: Path, tmp_path: Path) -> None:
    """A few projects are equal, byte for byte; `make space` compares many."""
    renderer = Renderer(template)
    generator = random.Random(1)  # noqa: S311 - it picks what is compared
    for number in range(4):
        answers = renderer.space.sample(generator)
        project = GeneratedProject.render(
            template, tmp_path / str(number), {**EVERYTHING, **answers}
        )
        assert renderer.tree(answers) == project.tree()


def test_renders_each_text_once(template: Path) -> None:
    """All legal ways through a file's questions give all its texts."""
    renderer = Renderer(template)

    def version(reading: Reading) -> str | None:
        return renderer.text(".python-version", reading)

    found = [*renderer.explore(version)]
    versions = ("3.11", "3.12", "3.13", "3.14")
    assert sorted(str(way.answers["python_version"]) for way in found) == [*versions]
    assert all(way.answers.keys() == {"python_version"} for way in found)
    assert len({way.result for way in found}) == 4


def test_shrinks(space: AnswerSpace) -> None:
    """Of a failing combination the answers remain that it takes."""
    base = space.combination()
    failing = {**base, "auth": "none", "server": "granian", "example": False, "license": "MIT"}
    asked: list[Answers] = []

    def fails(answers: Answers) -> bool:
        asked.append(answers)
        return answers["auth"] == "none" and answers["server"] == "granian"

    found = smallest(space, failing, base, fails)
    assert found == {"auth": "none", "server": "granian"}
    assert all(map(space.allows, asked))
    assert command_line({**found, "example": False}) == (
        "copier copy --defaults --data auth=none --data server=granian --data example=false "
        "TEMPLATE PROJECT"
    )
