"""URLs that asyncpg cannot follow are refused at the start."""

# Depends on: src/app/db/url.py src/app/db/engine.py tests/machinery/postgresql/tls.py

import pytest
from pydantic import TypeAdapter, ValidationError

from app.db.url import DatabaseURL

REFUSED = {
    "sslmode=require&channel_binding=require": "Remove channel_binding from the URL",
    "gssencmode=require": "Remove gssencmode from the URL",
    "sslmode=verify-full&sslrootcert=system": "asyncpg does not know the value system",
    "connect_timeout=5": "from the URL: set APP_DATABASE_CONNECT_TIMEOUT",
    "search_path=other": "Remove search_path from the URL",
}


@pytest.mark.parametrize("parameters", REFUSED)
def test_parameter_is_refused_with_what_to_write(parameters: str) -> None:
    with pytest.raises(ValidationError, match=REFUSED[parameters]):
        TypeAdapter(DatabaseURL).validate_python(f"postgres://user@host/name?{parameters}")
