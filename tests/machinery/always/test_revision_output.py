"""What writing a revision shows when nothing is wrong."""

# Depends on: pyproject.toml migrations/env.py migrations/autogenerate.py migrations/script.py.mako

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.conftest import PROJECT
from tests.database import new_database

REVISE = """
import sys
from alembic import command
from alembic.config import Config

config = Config(toml_file="pyproject.toml")
config.attributes["url"], folder = sys.argv[1:]
config.toml_alembic_config["version_locations"] = [folder]
command.revision(config, "everything", autogenerate=True)
"""


async def test_repaired_findings_are_not_shown(server: URL) -> None:
    """The file is in the project, whose rules of Ruff hold for it."""
    with TemporaryDirectory(dir=PROJECT / "migrations") as folder:
        async with new_database(server) as url:
            engine = create_async_engine(url, poolclass=NullPool)
            async with engine.begin() as connection:
                await connection.execute(text("CREATE TABLE seen (id int PRIMARY KEY)"))
            told = url.render_as_string(hide_password=False)
            output = await run(sys.executable, "-c", REVISE, told, folder)
        assert len(written(folder)) == 1
        assert "done" in output
        assert "Found" not in output
        await run("ruff", "check", "--extend-ignore", "INP001", folder)
        await run("ruff", "format", "--check", folder)


def written(folder: str) -> list[Path]:
    """The revisions in a folder."""
    return [*Path(folder).glob("*.py")]


async def run(*command: str) -> str:
    """Run a command that succeeds; return its output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=PROJECT,
        env=os.environ | {"PATH": path},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
