"""Three domains that refer to each other, written into services of many kinds."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import copier

from plinth.harness.command import git
from plinth.harness.databases import own_database
from plinth.harness.hints import Hints
from plinth.harness.project import CommandError, GeneratedProject
from plinth.harness.source import REPOSITORY
from plinth.harness.space import Answers

# Every type, required and optional; two references to the same domain; a name of two words.
DOMAINS = (
    "customers name:line notes:text?",
    (
        "invoices customer:reference payer:reference:customers? number:line notes:text "
        "quantity:int amount:decimal issued_on:date due_at:datetime paid:bool "
        "status:enum:draft,sent,paid extra:json remark:line? paid_amount:decimal? "
        "paid_at:datetime? reason:enum:late,wrong? more:json? reminders:int? "
        "reminded_on:date? disputed:bool?"
    ),
    "invoice_lines invoice:reference description:text position:int",
)


@dataclass(frozen=True)
class DomainProgram:
    """A service into which domains are written."""

    name: str
    answers: Answers
    release: str = ""
    """A release of the template; that of this checkout if empty."""
    line_length: int = 0
    """One of its own, in a service that was edited since."""


PROGRAMS = (
    DomainProgram("standard", {}),
    DomainProgram("minimal", {"preset": "minimal"}),
    DomainProgram("full", {"preset": "full"}),
    DomainProgram(
        "asyncpg sqlmodel arq",
        {"database_driver": "asyncpg", "orm": "sqlmodel", "tasks": "arq", "broker": "redis"},
    ),
    DomainProgram("sqlite", {"database": "sqlite", "example": False}),
    DomainProgram("sqlite sqlmodel", {"database": "sqlite", "orm": "sqlmodel"}),
    DomainProgram(
        "sqlite open cached mypy",
        {
            "database": "sqlite",
            "auth": "none",
            "cache": "redis",
            "type_checker": "mypy",
        },
    ),
    DomainProgram("mysql", {"database": "mysql"}),
    DomainProgram(
        "mysql sqlmodel open cached",
        {
            "database": "mysql",
            "orm": "sqlmodel",
            "auth": "none",
            "cache": "redis",
        },
    ),
    DomainProgram(
        "sqlmodel open ty celery",
        {
            "orm": "sqlmodel",
            "auth": "none",
            "type_checker": "ty",
            "tasks": "celery",
            "broker": "redis",
        },
    ),
    DomainProgram("v0.2.0", {"cache": "redis"}, "v0.2.0"),
    DomainProgram("edited", {"database": "sqlite", "cache": "redis"}, line_length=120),
)


@dataclass(frozen=True)
class Outcome:
    """How a program went."""

    name: str
    seconds: float
    tests: int
    failure: str = ""
    """What the command that failed printed."""


def attempt(
    program: DomainProgram,
    template: Path,
    release: str,
    folder: Path,
    tests: Sequence[str] = (),
) -> Outcome:
    """Generate a service, write the domains, check and test it as its owner does.

    `tests` are the modules and folders of tests that run, by default all.
    """
    started = time.monotonic()
    answers = {**program.answers, "python_version": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    try:
        service = _service(program, template, program.release or release, folder, answers)
        with own_database(service) as variables:
            project = replace(service, variables=variables)
            for domain in DOMAINS:
                written = (sys.executable, "-m", "plinth", "domain", *domain.split())
                project.run(*written, "--no-checks")
                _commit(folder, domain)
            project.run("make", "check")
            output = project.run("uv", "run", "pytest", "-q", "-n", "2", *tests, timeout=1200)
    except CommandError as error:
        return Outcome(program.name, time.monotonic() - started, 0, str(error))
    passed = output.strip().splitlines()[-1].split()[0]
    return Outcome(program.name, time.monotonic() - started, int(passed))


def _service(
    program: DomainProgram, template: Path, release: str, folder: Path, answers: Answers
) -> GeneratedProject:
    copier.run_copy(str(template), folder, {**answers}, vcs_ref=release, defaults=True, quiet=True)
    # PostgreSQL and SQLite come with the project.
    server = Hints.read(REPOSITORY).servers.get(str(answers.get("database")))
    project = GeneratedProject(folder, answers, {server.setting: server.address} if server else {})
    if program.line_length:
        file = folder / "pyproject.toml"
        text = file.read_text("utf-8")
        own = f"line-length = {program.line_length}"
        file.write_text(text.replace("line-length = 100", own), "utf-8")
        project.run("uv", "run", "ruff", "format", "--quiet")
    git(folder, "init", "--quiet")
    project.run("uv", "sync", "--quiet")
    _commit(folder, "Start")
    return project


def _commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
