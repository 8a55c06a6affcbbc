"""The URL of the database: written for SQLAlchemy and aiosqlite, or refused."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE = "sqlite+aiosqlite:////var/lib/app.db"
PARAMETERS = {"cached_statements", "check_same_thread", "detect_types", "timeout"}


def parse_url(text: str) -> URL:
    """The URL for SQLAlchemy and aiosqlite, whichever driver `text` names.

    Raises:
        ValueError: it cannot be used; the message says what to write, and repeats no value.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        url = URL.create("unknown")
    # Each connection of the pool would have a database in memory of its own.
    is_file = url.database and ":memory:" not in url.database and not url.host
    if url.get_backend_name() not in {"sqlite", "sqlite3"} or not is_file:
        raise ValueError(f"Use the URL of a file, such as {EXAMPLE}")
    # With `uri=true` parameters are SQLite's own.
    for name in () if "uri" in url.query else url.query.keys() - PARAMETERS:
        raise ValueError(f"Remove {name} from the URL: aiosqlite does not know it")
    return url.set(drivername="sqlite+aiosqlite")


def _translated(value: SecretStr) -> SecretStr:
    return SecretStr(parse_url(value.get_secret_value()).render_as_string(hide_password=False))


DatabaseURL = Annotated[SecretStr, AfterValidator(_translated)]
"""A setting with the URL of a database."""
