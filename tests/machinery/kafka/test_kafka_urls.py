"""Which addresses of Kafka are taken."""

# Depends on: src/app/tasks/config.py tests/machinery/always/urls.py

import pytest

from app.tasks.config import BrokerURL
from tests.machinery.always.urls import check_refused, check_taken

ACCEPTED = [
    "host",
    "host:9092",
    "a.example:9092,b.example:9092",
    "127.0.0.1:9092, [::1]:9092",
]
REFUSED = [
    "",
    "host:port",
    "host:9092,",
    "kafka://user:pa55word@host:9092",
    "http://host",
    "a:9092;b:9092",
    "9999999999999999999999999999999999999999999999999999999999999999",
]


@pytest.mark.parametrize("url", ACCEPTED)
def test_url_is_taken_without_blanks_around_it(url: str) -> None:
    check_taken(BrokerURL, url)


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(url: str) -> None:
    check_refused(BrokerURL, url)
