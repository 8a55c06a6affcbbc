"""The databases of the tests: files, created for a test run and removed after it."""

import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL

from app.db.url import parse_url


@contextmanager
def database_server(_given: str | None) -> Generator[URL]:
    """A file in a temporary folder, where the other databases go; never the one of development."""
    with TemporaryDirectory() as folder:
        yield parse_url(f"sqlite:///{folder}/server.db")


@asynccontextmanager
async def new_database(server: URL, template: URL | None = None) -> AsyncGenerator[URL]:
    """An empty database, or a copy of `template`, which must have no open connections."""
    with TemporaryDirectory(dir=Path(str(server.database)).parent) as folder:
        file = Path(folder) / "test.db"
        if template:
            shutil.copyfile(str(template.database), file)
        yield server.set(database=str(file))


def unreachable(server: URL) -> URL:
    """The URL of a file that cannot be opened."""
    return server.set(database="/does/not/exist.db")
