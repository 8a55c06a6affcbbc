"""Alembic's `--sql` works for the tables of the template."""

import asyncio
import io

from alembic import command
from sqlalchemy import URL

from app.db.base import Base
from tests.conftest import alembic_config


async def test_sql_can_be_written_instead(server: URL) -> None:
    config = alembic_config(server)
    config.output_buffer = io.StringIO()
    await asyncio.to_thread(command.upgrade, config, "head", sql=True)
    for table in Base.metadata.tables:
        assert f"CREATE TABLE {table} (" in config.output_buffer.getvalue()
