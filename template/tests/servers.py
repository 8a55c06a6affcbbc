"""The database server of the tests: the given one, a container, or the embedded one."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import yaml
from sqlalchemy import URL, make_url

from tools.driver import DRIVER
from tools.embedded_postgres import data_directory, server

COMPOSE = Path(__file__).parent.parent / "compose.yaml"


@contextmanager
def database_server(given: str | None) -> Generator[URL]:
    """A server to make databases on; `TEST_DATABASE=container` starts the image of compose.yaml."""
    if os.environ.get("TEST_DATABASE") == "container":
        from testcontainers.community.postgres import (  # noqa: PLC0415 - asks for Docker
            PostgresContainer,
        )

        image: str = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["database"]["image"]
        container = PostgresContainer(image, driver=DRIVER)
        # Like the embedded one, it does not wait for the disk.
        with container.with_command("postgres -c fsync=off"):
            yield make_url(container.get_connection_url())
    elif given:
        yield make_url(given)
    else:
        with server(data_directory("test"), durable=False) as embedded:
            yield make_url(embedded.url("postgres", DRIVER))
