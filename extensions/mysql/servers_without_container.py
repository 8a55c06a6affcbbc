"""The database server of the tests: the given one."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from sqlalchemy import URL, make_url


@contextmanager
def database_server(given: str | None) -> Generator[URL]:
    """A server to make databases on, whose user may do so."""
    if not given:
        pytest.exit("Set APP_DATABASE_URL to a MySQL or MariaDB server for the tests.", 1)
    yield make_url(given)
