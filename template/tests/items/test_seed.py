"""Something to look at."""

import asyncio
import os
import subprocess
import sys

from sqlalchemy import URL, text

from app.db.session import Database
from tests.conftest import settings_for
from tests.migrating import PROJECT


def seed(url: URL) -> str:
    """Run the command; returns what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.seed"],
        cwd=PROJECT,
        env=os.environ | {"APP_DATABASE_URL": url.render_as_string(hide_password=False)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


async def test_seed_adds_what_is_missing_and_nothing_twice(own_database: URL) -> None:
    assert (await asyncio.to_thread(seed, own_database)).startswith("3 items added")
    assert (await asyncio.to_thread(seed, own_database)).startswith("0 items added")
    database = Database.create(settings_for(own_database))
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM items")) == 3
    await database.close()
