"""The database of development where `APP_DATABASE_URL` is not set: the file `app.db`."""

from collections.abc import Generator
from contextlib import contextmanager

from tools.driver import DRIVER
from tools.processes import PROJECT


@contextmanager
def development_database() -> Generator[str]:
    """The URL of a file in this folder, which is not committed."""
    yield f"sqlite+{DRIVER}:///{PROJECT / 'app.db'}"
