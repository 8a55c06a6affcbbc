"""The database of development where `APP_DATABASE_URL` is not set: an embedded PostgreSQL."""

from collections.abc import Generator
from contextlib import contextmanager

from tools.driver import DRIVER
from tools.embedded_postgres import data_directory, server


@contextmanager
def development_database() -> Generator[str]:
    """The URL of a database that is there as long as it is used; its rows stay."""
    with server(data_directory("dev"), durable=True) as postgres:
        postgres.ensure_database()
        yield postgres.url("app", DRIVER)
