"""Three domains that refer to each other, written into services of many kinds."""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import copier

from plinth.harness.command import git
from plinth.harness.project import CommandError, GeneratedProject
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
MYSQL = "MYSQL_URL", "mysql+asyncmy://root@127.0.0.1:3306/mysql"
EXECUTE = """
import asyncio, sys
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

async def main():
    async with create_async_engine(sys.argv[1]).begin() as connection:
        await connection.execute(text(sys.argv[2]))

asyncio.run(main())
"""


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


def attempt(program: DomainProgram, template: Path, release: str, folder: Path) -> Outcome:
    """Generate a service, write the domains, check and test it as its owner does."""
    started = time.monotonic()
    answers = {**program.answers, "python_version": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    try:
        service = _service(program, template, program.release or release, folder, answers)
        with _database(service) as project:
            for domain in DOMAINS:
                written = (sys.executable, "-m", "plinth", "domain", *domain.split())
                project.run(*written, "--no-checks")
                _commit(folder, domain)
            project.run("make", "check")
            tests = project.run("uv", "run", "pytest", "-q", "-n", "2", timeout=1200)
    except CommandError as error:
        return Outcome(program.name, time.monotonic() - started, 0, str(error))
    passed = tests.strip().splitlines()[-1].split()[0]
    return Outcome(program.name, time.monotonic() - started, int(passed))


def _service(
    program: DomainProgram, template: Path, release: str, folder: Path, answers: Answers
) -> GeneratedProject:
    copier.run_copy(str(template), folder, {**answers}, vcs_ref=release, defaults=True, quiet=True)
    project = GeneratedProject(folder, answers)
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


@contextmanager
def _database(service: GeneratedProject) -> Generator[GeneratedProject]:
    """Give a service on MySQL a database of its own; the other servers come as packages."""
    if service.answers.get("database") != "mysql":
        yield service
        return
    server, name = os.environ.get(*MYSQL), f"plinth_{uuid4().hex}"
    execute = ("uv", "run", "python", "-c", EXECUTE, server)
    service.run(*execute, f"CREATE DATABASE {name}")
    try:
        url = f"{server.rpartition('/')[0]}/{name}"
        yield GeneratedProject(service.path, service.answers, {"APP_DATABASE_URL": url})
    finally:
        service.run(*execute, f"DROP DATABASE {name}")
