"""The tests on a container: the image is that of compose.yaml, and the tests are told of it."""

import os
import sys
from typing import Self

import pytest
import yaml
from sqlalchemy import URL

from tests import container as module
from tests.container import COMPOSE, main


class Container:
    """A container whose database is the one of the tests."""

    images: list[str]
    url: URL

    def __init__(self, image: str, **_options: object) -> None:
        self.images.append(image)

    def with_command(self, _command: str) -> Self:
        """Take a command."""
        return self

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop."""

    def get_connection_url(self) -> str:
        """Return the URL of the database."""
        return self.url.render_as_string(hide_password=False)


def test_tests_run_on_the_image_of_the_compose_file(
    server: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def run(arguments: list[str]) -> int:
        given.extend([arguments, os.environ["APP_DATABASE_URL"]])
        return 5

    Container.images, Container.url = [], server
    monkeypatch.setenv("APP_DATABASE_URL", "")
    for name in ("PostgresContainer", "MySqlContainer"):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, Container)
    monkeypatch.setattr(module.pytest, "main", run)
    monkeypatch.setattr(sys, "argv", ["container", "tests/items"])
    assert main() == 5
    assert given == [["tests/items"], server.render_as_string(hide_password=False)]
    compose = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert Container.images == [compose["services"]["database"]["image"]]
