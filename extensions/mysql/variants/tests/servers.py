"""The database server of the tests: the given one, or a container."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from sqlalchemy import URL, make_url

from tools.driver import DRIVER

COMPOSE = Path(__file__).parent.parent / "compose.yaml"


@contextmanager
def database_server(given: str | None) -> Generator[URL]:
    """A server to make databases on; `TEST_DATABASE=container` starts the image of compose.yaml."""
    if os.environ.get("TEST_DATABASE") == "container":
        from testcontainers.community.mysql import (  # noqa: PLC0415 - asks for Docker
            MySqlContainer,
        )

        image: str = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["database"]["image"]
        with MySqlContainer(image, dialect=DRIVER, username="root") as container:
            yield make_url(container.get_connection_url())
    elif given:
        yield make_url(given)
    else:
        sentence = "Set APP_DATABASE_URL to a MySQL or MariaDB server, or TEST_DATABASE=container."
        pytest.exit(sentence, 1)
