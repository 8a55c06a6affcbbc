"""Histories of revisions in a folder of their own, and upgrades in processes of their own."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import PROJECT

HEADER = """
from alembic import op

revision, down_revision = "{revision}", {before}

def upgrade():
"""
UPGRADE = """
import sys
from alembic import command
from alembic.config import Config

config = Config(toml_file="pyproject.toml")
config.attributes["url"], environment, folder, revision = sys.argv[1:]
config.toml_alembic_config["script_location"] = environment
config.toml_alembic_config["version_locations"] = [folder]
command.upgrade(config, revision)
"""
COUNT = text("SELECT count(*) FROM seen")


def write_history(folder: Path, bodies: Mapping[str, str]) -> Path:
    """Write revisions that follow each other; each body is that of `upgrade`."""
    before = None
    for revision, body in bodies.items():
        header = HEADER.format(revision=revision, before=repr(before))
        (folder / f"{revision}.py").write_text(header + body, "utf-8")
        before = revision
    return folder


async def upgrade(
    url: URL, versions: Path, revision: str, environment: Path = PROJECT / "migrations"
) -> asyncio.subprocess.Process:
    """Start an upgrade in a process of its own."""
    told = url.render_as_string(hide_password=False)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", UPGRADE, told, str(environment), str(versions), revision),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def hasty(folder: Path) -> Path:
    """The environment of migrations with two attempts of a second each."""
    text = (PROJECT / "migrations" / "env.py").read_text("utf-8")
    for before, after in {"ATTEMPTS = 20": "ATTEMPTS = 2", "TIMEOUT = 5": "TIMEOUT = 1"}.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "hasty").mkdir()
    (folder / "hasty" / "env.py").write_text(text, "utf-8")
    return folder / "hasty"


async def check_waiting_stops_no_other(url: URL, versions: Path) -> None:
    """Drop the table `seen` while it is read: it waits, others read it, and it succeeds."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as reader:
        await reader.execute(COUNT)
        run = await upgrade(url, versions, "drop")
        assert run.stdout
        told = await asyncio.wait_for(run.stdout.readline(), 60)
        assert told.decode() == "A table is in use; trying again.\n"
        async with engine.connect() as other:
            await asyncio.wait_for(other.execute(COUNT), 30)
    await run.communicate()
    assert run.returncode == 0


async def check_giving_up(url: URL, versions: Path, folder: Path, advice: str) -> None:
    """Drop the table `seen` while it is read, in two attempts; both fail."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as reader:
        await reader.execute(COUNT)
        run = await upgrade(url, versions, "drop", hasty(folder))
        output, _ = await asyncio.wait_for(run.communicate(), 60)
    assert run.returncode == 1
    assert output.decode().splitlines() == [
        "A table is in use; trying again.",
        f"A table was in use at each of 2 attempts: {advice}.",
    ]
