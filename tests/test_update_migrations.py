"""An update that brings a table, in a service with users, edits, and a history of its own."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from plinth.harness.edits import EDITS, make_edits
from plinth.harness.memory import Memory
from plinth.harness.project import GeneratedProject, clean_environment
from plinth.harness.releases import CURRENT, SYNTHETIC, recorded_releases
from plinth.harness.survey import Survey
from tests.test_updates import commit, key_between, start_project

ON_DATABASE = ("uv", "run", "python", "-m", "tools.run")
# Prints what a statement returns, one value a line.
EXECUTE = """
import os, sys
from sqlalchemy import create_engine, text
with create_engine(os.environ["APP_DATABASE_URL"]).begin() as connection:
    result = connection.execute(text(sys.argv[1]))
    print(*(result.scalars() if result.returns_rows else ()), sep="\\n")
"""
ADD_USER = """
INSERT INTO users (id, email, password_hash, is_active, created_at, updated_at)
VALUES (gen_random_uuid(), 'ada@example.com', 'x', true, now(), now())
"""
SHOW = """
SELECT email FROM users UNION ALL
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename = 'items'
"""
# Fills a database as the earlier release left it, applies the other revisions, and shows a row.
MIGRATE_FILLED = """
import asyncio, sys
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from tests.database import database_server, new_database

async def migrate():
    with database_server(None) as server:
        async with new_database(server) as url:
            config = Config(toml_file="pyproject.toml")
            config.attributes["url"] = url.render_as_string(hide_password=False)
            await asyncio.to_thread(command.upgrade, config, sys.argv[1])
            engine = create_engine(url)
            with engine.begin() as connection:
                for statement in sys.argv[2:]:
                    connection.execute(text(statement))
            engine.dispose()
            await asyncio.to_thread(command.upgrade, config, "head")
            with engine.begin() as connection:
                print(connection.scalar(text("SELECT email FROM users")))
            engine.dispose()

asyncio.run(migrate())
"""
ADD_LOG_IN = """
INSERT INTO refresh_tokens (id, user_id, family_id, token_hash, expires_at, created_at)
SELECT gen_random_uuid(), id, gen_random_uuid(), 'x', now(), now() FROM users
"""


def test_the_last_release_updates_on_a_filled_database(
    releases: Path,
    survey: Survey,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The notices say what its revision needs; checks and tests pass, and the rows stay."""
    last = f"v{[*recorded_releases()][-1]}"
    memory = Memory.of("updates")
    key = key_between(survey, (last, {}), (CURRENT, {}), told=["filled"], by=Path(__file__))
    record_property("update cells remembered", int(key in memory))
    if key in memory:
        return
    project = start_project(releases, tmp_path / "service", {}, last)
    project.run("uv", "lock")
    commit(project, "Lock")
    old = head_of(project)
    told = failing(project, "make", "update", f"ARGS=--to {CURRENT}")
    ignored = 'op.execute("-- squawk-ignore-file")'
    assert f"begin its upgrade with {ignored}" in " ".join(told.split())
    assert "A revision is missing" in told, told
    project.run("make", "migration", "m=one row per log-in")
    (file,) = (project.path / "migrations" / "versions").glob("*one_row_per_log_in.py")
    begins = '    """Apply the change."""\n'
    text = file.read_text("utf-8")
    assert begins in text
    file.write_text(text.replace(begins, f"{begins}    {ignored}\n"), "utf-8")
    project.run("make", "check")
    filled = ("python", "-c", MIGRATE_FILLED, old, ADD_USER, ADD_LOG_IN)
    assert project.run("uv", "run", *filled).split()[-1] == "ada@example.com"
    record_property("progress", project.test().strip().splitlines()[-1])
    memory.add(key, cell=f"{last} updates on a filled database")


def test_a_table_comes_by_update(
    pytestconfig: pytest.Config,
    releases: Path,
    survey: Survey,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """The check asks for the revision, the command writes it, and the rows stay.

    Then the tests of what came run; by `make updates` all, as after the update above.
    """
    everything = bool(pytestconfig.getoption("--every-cell"))
    before = {"example": False}
    after = {"example": True, "ci": "none"}
    memory = Memory.of("updates")
    key = key_between(
        survey, (CURRENT, before), (SYNTHETIC, after), told=[everything], by=Path(__file__)
    )
    record_property("update cells remembered", int(key in memory))
    if key in memory:
        return
    project = start_project(releases, tmp_path / "service", before, CURRENT)
    make_edits(project.path, EDITS)
    project.run("uv", "lock")
    project.run(*ON_DATABASE, "alembic", "revision", "-m", "a revision of our own")
    own = head_of(project)
    project.run(*ON_DATABASE, "python", "-c", EXECUTE, ADD_USER)
    commit(project, "Our own work")

    told = failing(
        project, "make", "update", f"ARGS=--to {SYNTHETIC} --data example=true --data ci=none"
    )
    assert "A synthetic line." in told
    assert 'A revision is missing: make migration m="…" writes it' in told, told
    assert "`make check` failed: see above." in told
    assert not (project.path / ".github").exists()
    project.run("make", "migration", "m=add items")
    added = head_of(project)
    assert f'down_revision = "{own}"' in revision(project, added)
    assert "create_table" in revision(project, added)
    filled = "ada@example.com\nitems"
    assert filled in project.run(*ON_DATABASE, "python", "-c", EXECUTE, SHOW)
    project.run(*ON_DATABASE, "alembic", "downgrade", "-1")
    assert filled in project.run(*ON_DATABASE, "python", "-c", EXECUTE, SHOW)
    project.run("make", "check")
    chosen = () if everything else ("tests/items", "tests/colours")
    tests = project.run("uv", "run", "pytest", *chosen)
    record_property("progress", tests.strip().splitlines()[-1])
    record_property("programs", 1)

    second = revision(project, added).replace(added, "f00d")
    (project.path / "migrations/versions/2026_12_01_second.py").write_text(second, "utf-8")
    told = failing(project, "make", "check")
    assert "uv run alembic merge heads" in told
    memory.add(key, cell="a table comes by update")


def head_of(project: GeneratedProject) -> str:
    """Return the id of the newest revision."""
    return project.run("uv", "run", "alembic", "heads").split()[-2]


def revision(project: GeneratedProject, identifier: str) -> str:
    """Return the text of a revision's file."""
    files = (project.path / "migrations" / "versions").glob("*.py")
    texts = (file.read_text("utf-8") for file in files)
    return next(t for t in texts if re.search(rf'(?m)^revision = "{identifier}"$', t))


def failing(project: GeneratedProject, *command: str) -> str:
    """Run a command that fails, and return what it printed."""
    done = subprocess.run(
        command,
        cwd=project.path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode, done.stdout
    return done.stdout
