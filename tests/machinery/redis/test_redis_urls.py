"""Which URLs of Redis are taken."""

# Depends on: src/app/core/redis.py tests/machinery/always/urls.py

import pytest

from app.core.redis import RedisURL
from tests.machinery.always.urls import check_refused, check_taken

ACCEPTED = [
    "redis://host",
    "redis://:pass@host:6379/0",
    "rediss://user:p%40ss@host/1?ssl_cert_reqs=none",
    "redis://[::1]:6379",
    "unix:///run/redis.sock?db=1",
]
REFUSED = [
    "",
    "x",
    "host:6379",
    "http://user:pa55word@host",
    "amqp://user:pa55word@host",
    "redis:host",
    "redis://user:pa55word@host:port",
    "redis://user:pa55/word@host",
    "redis://host?db=x",
]


@pytest.mark.parametrize("url", ACCEPTED)
def test_url_is_taken_without_blanks_around_it(url: str) -> None:
    check_taken(RedisURL, url)


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(url: str) -> None:
    check_refused(RedisURL, url)
