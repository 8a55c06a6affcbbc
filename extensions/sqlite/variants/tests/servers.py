"""Where the tests have their databases: in a folder of their own."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL

from tools.driver import DRIVER


@contextmanager
def database_server(_given: str | None) -> Generator[URL]:
    """A database beside which others are made; never the one of development."""
    with TemporaryDirectory() as folder:
        yield URL.create(f"sqlite+{DRIVER}", database=str(Path(folder) / "server.db"))
