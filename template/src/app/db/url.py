"""The URL of the database: what providers give is translated for psycopg, or refused."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from psycopg.pq import Conninfo
from pydantic import AfterValidator, SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


def parse_url(text: str) -> URL:
    """The URL for SQLAlchemy and psycopg, whichever driver `text` names.

    Raises:
        ValueError: it cannot be used; the message says what to write, and repeats no value.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        url = URL.create("unknown")
    # What follows a second @, except in a parameter's value, would be taken for the host.
    if url.get_backend_name() not in {"postgres", "postgresql"} or not re.fullmatch(
        r"[^@]*@?[^@?]*(\?[^@=]+=.*)?", text.strip()
    ):
        raise ValueError(
            "Use a URL such as postgresql+psycopg://user:password@host/name, "
            "with %40 for an @ in the password"
        )
    if url.host and "%" in url.host:  # the folder of a socket
        url = url.set(host="").update_query_dict({"host": unquote(url.host)})
    query = dict(url.query)
    if ssl := query.pop("ssl", None):
        query["sslmode"] = "require" if ssl == "true" else ssl
    _check(query)
    return url.set(drivername="postgresql+psycopg", query=query)


def _check(query: dict[str, str | tuple[str, ...]]) -> None:
    """Refuse parameters that would fail at the first connection, or be overridden."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} - {"connect_timeout"}
    for name in query.keys() - known:
        ours = "set APP_DATABASE_CONNECT_TIMEOUT" if name == "connect_timeout" else None
        raise ValueError(f"Remove {name} from the URL: {ours or 'psycopg does not know it'}")
    if query.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"Use an sslmode of {', '.join(sorted(SSL_MODES))}")
    if (file := query.get("sslrootcert", "system")) != "system" and not Path(str(file)).is_file():
        raise ValueError("The file that sslrootcert names does not exist")


def _translated(value: SecretStr) -> SecretStr:
    return SecretStr(parse_url(value.get_secret_value()).render_as_string(hide_password=False))


DatabaseURL = Annotated[SecretStr, AfterValidator(_translated)]
"""A setting with the URL of a database."""
