"""Databases for tests: files, made for a test run and removed after it."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL

from tools.driver import DRIVER

NOWHERE = f"sqlite+{DRIVER}:////nowhere/pa55word/none.db"
"""The URL of a database that is not there."""
SCHEMA = "SELECT tbl_name, type, name, sql FROM sqlite_schema"
"""Selects the tables and indexes of a database, each with its table's name first."""


@asynccontextmanager
async def new_database(server: URL, template: URL | None = None) -> AsyncGenerator[URL]:
    """An empty database, or a copy of `template`, to which nobody may be connected."""
    file = Path(str(server.database)).with_name(f"{uuid4().hex}.db")
    if template:
        shutil.copyfile(str(template.database), file)
    try:
        yield server.set(database=str(file))
    finally:
        for left in file.parent.glob(f"{file.name}*"):
            left.unlink()
