"""Several processes that migrate one database at the same time."""

# Depends on: migrations/env.py
# On every change, once for: database

import asyncio
import os
import sys

from sqlalchemy import URL

from tests.conftest import PROJECT
from tests.database import new_database

UPGRADE = """
from alembic import command
from alembic.config import Config
import app.main
print(flush=True)
input()
command.upgrade(Config(toml_file="pyproject.toml"), "head")
"""


async def test_concurrent_upgrades_are_safe(server: URL) -> None:
    async with new_database(server) as url:
        environment = os.environ | {"APP_DATABASE_URL": url.render_as_string(hide_password=False)}
        pipe = asyncio.subprocess.PIPE
        runs = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", UPGRADE),
                env=environment,
                cwd=PROJECT,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
            )
            for _ in range(4)
        ]
        for run in runs:
            assert run.stdout
            await run.stdout.readline()  # its imports are done: the migrations start together
        outputs = await asyncio.gather(*(run.communicate(b"\n") for run in runs))
        assert [run.returncode for run in runs] == [0] * 4, outputs
