"""The command line of Alembic: which database, and what it refuses to write."""

# Depends on: migrations/env.py migrations/autogenerate.py migrations/script.py.mako
# On every change, once for: database

import asyncio
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.conftest import PROJECT
from tests.database import new_database, unreachable
from tests.test_migrations import schema_of


async def alembic(url: URL, *arguments: str) -> tuple[int | None, str]:
    """Run a command with this database in the settings; return its status and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alembic", *arguments),
        cwd=PROJECT,
        env=os.environ | {"APP_DATABASE_URL": url.render_as_string(hide_password=False)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.parametrize("sql", [[], ["--sql"]])
async def test_the_url_given_is_that_of_the_database(server: URL, sql: list[str]) -> None:
    async with new_database(server) as url:
        told = f"url={url.render_as_string(hide_password=False)}"
        status, output = await alembic(unreachable(server), "-x", told, "upgrade", "head", *sql)
        assert status == 0, output
        has_revisions = any((PROJECT / "migrations" / "versions").glob("*.py"))
        assert bool(await schema_of(url)) is (has_revisions and not sql)


@pytest.mark.parametrize("told", [["ulr={}"], ["{}"], ["url="], ["url={}", "-x", "schema=a"]])
async def test_another_argument_is_refused(server: URL, told: list[str]) -> None:
    """The command is never run on the configured database instead."""
    given = [part.format("postgresql://elsewhere/app") for part in told]
    status, output = await alembic(unreachable(server), "-x", *given, "downgrade", "base")
    assert status
    sentence = "Write the database as -x url=…; -x takes nothing else."
    assert output.splitlines()[-1].endswith(sentence)
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("", 'Say what changes: make migration m="add colours"'),
        ("add colours", "The database is like the models: there is no revision to write."),
    ],
)
async def test_nothing_is_written_for_nothing(
    own_database: URL, message: str, sentence: str
) -> None:
    def files() -> list[Path]:
        return sorted((PROJECT / "migrations/versions").glob("*.py"))

    before = files()
    status, output = await alembic(own_database, "revision", "--autogenerate", "-m", message)
    assert status
    assert output.splitlines()[-1].endswith(sentence)
    assert "Traceback" not in output
    assert files() == before
