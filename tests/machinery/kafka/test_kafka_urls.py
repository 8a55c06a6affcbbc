"""Which addresses of Kafka are taken."""

# Depends on: src/app/tasks/config.py

import pytest
from pydantic import TypeAdapter, ValidationError

from app.tasks.config import BrokerURL

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
