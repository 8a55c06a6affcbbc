"""README.md has the questions as they are, and what is no answer is refused."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from plinth.harness.command import copier
from plinth.harness.simulate import add_question
from plinth.harness.source import REPOSITORY, copy_template
from plinth.harness.space import Answers, AnswerSpace
from tools.docs import README, filled, questions

# Answers that do not go together, or are none, each with the end of what Copier prints.
REFUSED: Mapping[str, tuple[Answers, str]] = {
    "users of a provider": ({"auth": "oidc"}, "'oidc' is not in ['none', 'jwt']"),
    "driver of SQLite for PostgreSQL": (
        {"database_driver": "aiosqlite"},
        "aiosqlite is for sqlite.",
    ),
    "driver of PostgreSQL for MySQL": (
        {"database": "mysql", "database_driver": "psycopg"},
        "psycopg is for postgresql.",
    ),
    "driver of MySQL for SQLite": (
        {"database": "sqlite", "database_driver": "asyncmy"},
        "asyncmy is for mysql.",
    ),
    "another database": (
        {"database": "oracle"},
        "'oracle' is not in ['postgresql', 'mysql', 'sqlite']",
    ),
    "tasks without a broker": ({"tasks": "taskiq", "broker": "none"}, "Tasks need a broker."),
    "Redis without tasks": ({"broker": "redis"}, "A broker is for tasks."),
    "RabbitMQ without tasks": ({"broker": "rabbitmq"}, "A broker is for tasks."),
    "NATS without tasks": ({"broker": "nats"}, "A broker is for tasks."),
    "Kafka without tasks": ({"broker": "kafka"}, "A broker is for tasks."),
    "outbox without tasks": (
        {"outbox": True},
        "The outbox needs tasks: answer outbox with no too.",
    ),
    "outbox without users": (
        {"outbox": True, "tasks": "taskiq", "auth": "none"},
        "The outbox needs users: answer outbox with no too.",
    ),
    "another cache": ({"cache": "memcached"}, "'memcached' is not in ['none', 'redis']"),
    "arq on RabbitMQ": ({"tasks": "arq", "broker": "rabbitmq"}, "arq speaks to Redis only."),
    "RQ on RabbitMQ": ({"tasks": "rq", "broker": "rabbitmq"}, "rq speaks to Redis only."),
    "Celery on NATS": (
        {"tasks": "celery", "broker": "nats"},
        "Of the queues only taskiq speaks to NATS.",
    ),
    "dramatiq on Kafka": (
        {"tasks": "dramatiq", "broker": "kafka"},
        "Of the queues only taskiq speaks to Kafka.",
    ),
    "another queue": (
        {"tasks": "huey"},
        "'huey' is not in ['none', 'taskiq', 'arq', 'celery', 'dramatiq', 'rq']",
    ),
    "another CI": ({"ci": "gitlab"}, "'gitlab' is not in ['none', 'github']"),
    "a Python that is no more": (
        {"python_version": "3.9"},
        "'3.9' is not in ['3.11', '3.12', '3.13', '3.14']",
    ),
}
# The wording is the law's: a change is never on purpose.
LICENSES = {
    "MIT": "4e11b31250cab26611636578de023d6816b11f309d33a1140653e94a304a26dc",
    "Apache-2.0": "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
    "BSD-3-Clause": "62b3b51936edc0d342e268a3d8752a18c5fc17b4b476463b99141f7b16061b95",
    "proprietary": "f05bd58802299182b9d1c357ac29880f7a4bf295ccd17c4f75b22bbb88bb9c12",
}


def test_every_question_is_documented(space: AnswerSpace) -> None:
    """README.md has each question, its answers, and what the presets answer."""
    text = README.read_text("utf-8")
    written = filled(text, {"questions": questions(space)})
    assert written == text, "the table in README.md is out of date: make docs writes it"


def test_table_follows_the_questions(template: Path, tmp_path: Path) -> None:
    """A question that is new has a row, with its help, its answers and each preset's."""
    copy = copy_template(tmp_path / "template", template)
    add_question(copy, "colour", ["none", "red"])
    rows = questions(AnswerSpace(copy))
    assert "| `colour` | A question of no use. | none, red | none | none | none |" in rows
    assert sum(row.startswith("| `") for row in rows) == len(AnswerSpace(copy).messages())


def test_defaults_of_nothing(space: AnswerSpace) -> None:
    """Who answers nothing gets the standard, with nobody's name in it."""
    complete = space.complete({})
    assert complete == space.complete({"preset": "standard"})
    assert complete["project_name"] == "My Service"
    assert complete["project_slug"] == "my-service"
    texts = ("project_description", "author_name", "author_email")
    assert [complete[name] for name in texts] == ["", "", ""]


def test_generation_is_that_of_the_newest_part(space: AnswerSpace) -> None:
    """A default that asks for a later one would never be on, and one that is raised has a use."""
    defaults = (str(question.get("default")) for question in space.questions.values())
    wanted = [int(n) for text in defaults for n in re.findall(r"generation >= (\d+)", text)]
    generation = int(str(space.complete()["generation"]))
    assert generation == max(wanted, default=1), (
        f"defaults ask for generation {max(wanted, default=1)}, and questions/project.yml has "
        f"{generation}"
    )


def test_few_questions(space: AnswerSpace) -> None:
    """Outside of the preset custom only what nobody else can know is asked."""
    asked = list(space.asked({"preset": "standard"}))
    assert asked == ["project_name", "preset", "project_description", "database", "auth"]


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, template: Path, tmp_path: Path) -> None:
    """What does not go is refused with a sentence, and nothing is written."""
    answers, sentence = REFUSED[case]
    data = [argument for n, v in answers.items() for argument in ("--data", f"{n}={v}")]
    done = copier("copy", "--defaults", *data, str(template), str(tmp_path / "service"))
    assert done.returncode
    assert done.stderr.rstrip().endswith(sentence)
    assert not (tmp_path / "service").exists()


@pytest.mark.parametrize("no", ["no", "false", "off"])
def test_no_on_the_command_line_is_no(no: str, template: Path, tmp_path: Path) -> None:
    """Copier knows a later answer as text while it asks an earlier question."""
    data = ("--data", "preset=full", "--data", "auth=none", "--data", f"outbox={no}")
    done = copier("copy", "--defaults", *data, str(template), str(tmp_path / "service"))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "service" / "src" / "app" / "outbox").exists()


@pytest.mark.parametrize("name", LICENSES)
def test_wording_of_licenses(name: str) -> None:
    """The texts are those that were once compared with the originals."""
    text = (REPOSITORY / "extensions" / "license" / name).read_bytes()
    assert hashlib.sha256(text).hexdigest() == LICENSES[name]
