"""Settings with URLs: what they take, and how they refuse the rest."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError


def check_taken(kind: Any, url: str) -> None:
    """Check that a setting of this type takes a URL, without the blanks around it."""
    assert TypeAdapter(kind).validate_python(f" {url}\n").get_secret_value() == url


def check_refused(kind: Any, url: str) -> None:
    """Check that the refusal says what to write, and not what was written."""
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(kind).validate_python(url)
    message = refusal.value.errors()[0]["msg"]
    assert " such as " in message
    assert "pa55word" not in message
