"""Which URLs of NATS are taken."""

# Depends on: src/app/tasks/config.py

import pytest
from pydantic import TypeAdapter, ValidationError

from app.tasks.config import BrokerURL

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
SETTING = TypeAdapter[BrokerURL](BrokerURL)


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
