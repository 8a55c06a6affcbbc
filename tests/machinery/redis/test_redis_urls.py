"""Which URLs of Redis are taken."""

# Depends on: src/app/core/redis.py

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.redis import RedisURL

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
SETTING = TypeAdapter[RedisURL](RedisURL)


@pytest.mark.parametrize("url", ACCEPTED)
def test_url_is_taken_without_blanks_around_it(url: str) -> None:
    assert SETTING.validate_python(f" {url}\n").get_secret_value() == url


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        SETTING.validate_python(url)
    message = refusal.value.errors()[0]["msg"]
    assert " such as " in message
    assert "pa55word" not in message
