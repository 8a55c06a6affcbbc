"""Which URLs of RabbitMQ are taken."""

# Depends on: src/app/tasks/config.py tests/machinery/always/urls.py

import pytest

from app.tasks.config import BrokerURL
from tests.machinery.always.urls import check_refused, check_taken

ACCEPTED = [
    "amqp://host",
    "amqp://app:app@host:5672/",
    "amqps://user:p%40ss@host.example/a%2Fb?heartbeat=10",
    "amqp://guest@[::1]:5672//",
]
REFUSED = [
    "",
    "x",
    "host:5672",
    "http://user:pa55word@host",
    "redis://user:pa55word@host",
    "amqp://",
    "amqp://user:pa55word@host:port/",
    "amqp://user:pa55word@with@host",
]


@pytest.mark.parametrize("url", ACCEPTED)
def test_url_is_taken_without_blanks_around_it(url: str) -> None:
    check_taken(BrokerURL, url)


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(url: str) -> None:
    check_refused(BrokerURL, url)
