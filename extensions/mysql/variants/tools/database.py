"""The database of development: MySQL has no embedded one, so somebody has to say where it is."""

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def development_database() -> Generator[str]:
    """There is none.

    Raises:
        SystemExit: always; says what to do.
    """
    sentence = "Set APP_DATABASE_URL, in .env for instance: there is no embedded MySQL."
    raise SystemExit(sentence)
    yield
