"""The database server of the tests: the given one, or the embedded one."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import URL, make_url

from tools.driver import DRIVER
from tools.embedded_postgres import data_directory, server


@contextmanager
def database_server(given: str | None) -> Generator[URL]:
    """A server to make databases on."""
    if given:
        yield make_url(given)
    else:
        with server(data_directory("test"), durable=False) as embedded:
            yield make_url(embedded.url("postgres", DRIVER))
