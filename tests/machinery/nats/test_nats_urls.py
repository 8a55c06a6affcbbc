"""Which URLs of NATS are taken."""

# Depends on: src/app/tasks/config.py tests/machinery/always/urls.py

import pytest

from app.tasks.config import BrokerURL
from tests.machinery.always.urls import check_refused, check_taken

ACCEPTED = [
    "nats://host",
    "nats://host:4222",
    "nats://token@host:4222/",
    "tls://user:p%40ss@host.example:4222",
    "nats://[::1]:4222",
]
REFUSED = [
    "",
    "x",
    "host:4222",
    "http://user:pa55word@host",
    "redis://user:pa55word@host",
    "nats://",
    "nats://user:pa55word@host:port",
    "nats://user:pa55word@with@host",
]


@pytest.mark.parametrize("url", ACCEPTED)
def test_url_is_taken_without_blanks_around_it(url: str) -> None:
    check_taken(BrokerURL, url)


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(url: str) -> None:
    check_refused(BrokerURL, url)
