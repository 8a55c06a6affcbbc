"""URLs that psycopg cannot follow are refused at the start; others reach it unchanged."""

# Depends on: src/app/db/url.py src/app/db/engine.py tests/machinery/postgresql/tls.py

import pytest
from pydantic import TypeAdapter, ValidationError

from app.db.url import DatabaseURL, parse_url


@pytest.mark.parametrize("name", ["prepared_statement_cache_size", "search_path", "dsn"])
def test_parameter_is_refused_with_what_to_write(name: str) -> None:
    with pytest.raises(ValidationError, match=f"Remove {name} from the URL"):
        TypeAdapter(DatabaseURL).validate_python(f"postgres://user@host/name?{name}=1")


def test_timeout_that_a_setting_would_override_is_refused() -> None:
    sentence = "Remove connect_timeout from the URL: set APP_DATABASE_CONNECT_TIMEOUT"
    with pytest.raises(ValidationError, match=sentence):
        TypeAdapter(DatabaseURL).validate_python("postgres://user@host/name?connect_timeout=33")


@pytest.mark.parametrize("parameter", ["channel_binding=require", "sslrootcert=system"])
def test_parameter_reaches_the_driver(parameter: str) -> None:
    name, _, value = parameter.partition("=")
    assert parse_url(f"postgres://user@host/name?{parameter}").query[name] == value
