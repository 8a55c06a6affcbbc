"""Documents, comments and examples of settings say what is so: each mistake is found, and named."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from plinth.harness import commands, examples, prose
from plinth.harness.claims import counterexample
from plinth.harness.hints import Hints
from plinth.harness.render import Unit
from plinth.harness.source import copy_template
from plinth.harness.survey import Survey

ADVICE = "template/AGENTS.md.jinja"
LINE = "- `make run` serves"
# A mistake: where, what is there, what takes its place, and what is said of it. They are made
# together, so each stands in a file, or beside a line, of its own.
MISTAKES: Mapping[str, tuple[str, str, str, str]] = {
    "class that is not there": (
        ADVICE,
        LINE,
        "- Take a `WriteSesion`.\n" + LINE,
        "AGENTS.md: names `WriteSesion`, which is not in the code with database=",
    ),
    "function of a part that is off": (
        ADVICE,
        LINE,
        "- `install_cache` forgets.\n" + LINE,
        "AGENTS.md: names `install_cache`, which is not in the code with database=",
    ),
    "file that is not there": (
        ADVICE,
        LINE,
        "- See `src/app/nothing.py`.\n" + LINE,
        "AGENTS.md: names `src/app/nothing.py`, no file of the project with database=",
    ),
    "file of a part that is off": (
        ADVICE,
        LINE,
        "- See `app/mail/senders.py`.\n" + LINE,
        "AGENTS.md: names `app/mail/senders.py`, no file of the project with database=",
    ),
    "setting in a comment": (
        "template/src/app/core/health.py",
        '"""\n\n',
        '"""\n\n# As `APP_DATABASE_READY_TIMOUT` says.\n',
        "src/app/core/health.py: names `APP_DATABASE_READY_TIMOUT`, which is not in the code",
    ),
    "name in a docstring": (
        "template/src/app/core/logging.py",
        '"""',
        '"""By `nothing_at_all`. ',
        "src/app/core/logging.py: names `nothing_at_all`, which is not in the code",
    ),
    "variable of make": (
        ADVICE,
        LINE,
        "- `make migration message=x` writes.\n" + LINE,
        "says make migration message=…, and migration does not use message with database=",
    ),
    "variable before a command": (
        ADVICE,
        LINE,
        "- `TEST_DATABSE=container make test` tests.\n" + LINE,
        "says TEST_DATABSE=… before make, and nothing reads it with database=",
    ),
    "option of uv run": (
        ADVICE,
        LINE,
        "- `uv run pytest --in-parallel` tests.\n" + LINE,
        "says uv run pytest --in-parallel, no known option with database=",
    ),
    "option of docker": (
        ADVICE,
        LINE,
        "- `docker compose up --biuld` starts.\n" + LINE,
        "says docker compose up --biuld, no known option with database=",
    ),
    "command of docker": (
        ADVICE,
        LINE,
        "- `docker stack deploy` starts.\n" + LINE,
        "says docker stack deploy, which is not among the commands tried with database=",
    ),
    "module that is not there": (
        ADVICE,
        LINE,
        "- `uv run python -m app.tasks.workers` works.\n" + LINE,
        "says python -m app.tasks.workers, no such thing with database=",
    ),
    "option of a module": (
        ADVICE,
        LINE,
        "- `python -m tools.run --verion v1` updates.\n" + LINE,
        "says python -m tools.run --verion, no such thing with database=",
    ),
    "example of a setting": (
        "extensions/cache/env",
        "APP_CACHE_KEEP=60\n",
        "APP_CACHE_KEEP=90\n",
        ".env.example: APP_CACHE_KEEP=90, and src/app/",
    ),
    "example of a text": (
        "template/.env.example.jinja",
        "APP_LOG_LEVEL=INFO\n",
        "APP_LOG_LEVEL=DEBUG\n",
        ".env.example: APP_LOG_LEVEL=DEBUG, and src/app/",
    ),
    "default of a setting": (
        "template/src/app/core/config.py.jinja",
        "database_pool_size: int = Field(default=10,",
        "database_pool_size: int = Field(default=11,",
        ".env.example: APP_DATABASE_POOL_SIZE=10, and src/app/core/config.py has 11",
    ),
}


def said(template: Path) -> list[str]:
    """Return what is said of a template."""
    survey = Survey(template, Hints.read(template), 1)
    found = [*examples.problems(survey.units, survey.space)]
    for claim in (*prose.claims(survey.units), *commands.claims(survey.units)):
        if (answers := counterexample(survey.space, claim)) is not None:
            told = ", ".join(f"{name}={answer}" for name, answer in answers.items())
            found.append(f"{claim.unit.path}: {claim.sentence} with {told or 'any answers'}")
    return found


@pytest.fixture(scope="module")
def mistaken(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what is said of a template with all mistakes."""
    copy = copy_template(tmp_path_factory.mktemp("mistaken") / "template", template)
    for path, before, after, _ in MISTAKES.values():
        text = (copy / path).read_text("utf-8")
        assert before in text, path
        (copy / path).write_text(text.replace(before, after, 1), "utf-8")
    return said(copy)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds(mistake: str, mistaken: list[str]) -> None:
    """The sentence says where it is, and what."""
    told = MISTAKES[mistake][-1]
    assert any(told in problem for problem in mistaken), "\n".join(mistaken)


def test_finds_nothing_else(mistaken: list[str], template: Path) -> None:
    """What is right is left in peace."""
    wrong = {told for *_, told in MISTAKES.values()}
    assert not [problem for problem in mistaken if not any(told in problem for told in wrong)]
    assert not said(template)


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("10", 10, True),
        ("10", 10.0, True),
        ("1", 2, False),
        ("false", False, True),
        ("true", False, False),
        ("", [], True),
        ('["a"]', [], False),
        ("", None, True),
        ("", "", True),
        ("word", None, False),
        ("word", "word", True),
        ("", "word", False),
    ],
)
def test_values(text: str, value: object, told: bool) -> None:  # noqa: FBT001 - a column of a table
    """A text in the environment is compared with what it stands for."""
    assert examples.same("APP_COLOUR", text, value) == told


def test_defaults_are_read_whatever_wraps_them() -> None:
    """A field without a default has none, and a call is looked into."""
    text = """
class ChairSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_CHAIR_")
    legs: int = 4
    arms: int = Field(default=2, ge=0)
    back: SecretStr = SecretStr("high")
    seat: str
    made: datetime = Field(default_factory=now)
"""
    found = dict(examples.defaults(text))
    assert found == {"APP_CHAIR_LEGS": 4, "APP_CHAIR_ARMS": 2, "APP_CHAIR_BACK": "high"}


def test_spans_may_break_at_the_end_of_a_line() -> None:
    """Text flows; what stands between backticks is one name, or one command."""
    unit = Unit(
        "README.md", "Do `make failed\nDO=all` or `make\n  it`.\n```sh\nmake that\n```\n", {}
    )
    assert [command.text for command in commands.told(unit)] == [
        "make that",
        "make failed DO=all",
        "make it",
    ]
