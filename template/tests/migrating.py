"""Alembic, called by tests."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL

PROJECT = Path(__file__).parent.parent


def alembic_config(url: URL) -> Config:
    """Alembic's configuration for this database."""
    config = Config(toml_file=PROJECT / "pyproject.toml")
    config.attributes["url"] = url.render_as_string(hide_password=False)
    return config


async def upgrade(url: URL, revision: str = "head") -> None:
    """Migrate the database."""
    await asyncio.to_thread(command.upgrade, alembic_config(url), revision)
