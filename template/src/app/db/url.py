"""The URL of the database: what providers give is translated for psycopg, or refused."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from psycopg.pq import Conninfo
from pydantic import AfterValidator, SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE = "postgresql+psycopg://user:password@host/name"
ONE_AT = re.compile(r"[^@]*@?[^@?]*(\?[^@=]+=.*)?")
"""What follows a second @, outside of a parameter's value, would be taken for the host."""
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
    if url.get_backend_name() not in {"postgres", "postgresql"} or not ONE_AT.fullmatch(text.strip()):
        raise ValueError(f"Use a URL such as {EXAMPLE}, with %40 for an @ in the password")
    query = dict(url.query)
    if url.host and "%" in url.host:
        query["host"] = unquote(url.host)  # the folder of a socket
        url = url.set(host="")
    if ssl := query.pop("ssl", None):
        query["sslmode"] = "require" if ssl == "true" else ssl
    _check(query)
    return url.set(drivername="postgresql+psycopg", query=query)


def _check(query: dict[str, str | tuple[str, ...]]) -> None:
    """Refuse parameters that would fail at the first connection, or be overridden."""
    if "connect_timeout" in query:
        raise ValueError("Remove connect_timeout from the URL: set APP_DATABASE_CONNECT_TIMEOUT")
    for name in query.keys() - {option.keyword.decode() for option in Conninfo.get_defaults()}:
        raise ValueError(f"Remove {name} from the URL: psycopg does not know it")
    if query.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"Use an sslmode of {', '.join(sorted(SSL_MODES))}")
    certificates = str(query.get("sslrootcert", "system"))
    if certificates != "system" and not Path(certificates).is_file():
        raise ValueError("The file that sslrootcert names does not exist")


def _translated(value: SecretStr) -> SecretStr:
    return SecretStr(parse_url(value.get_secret_value()).render_as_string(hide_password=False))


DatabaseURL = Annotated[SecretStr, AfterValidator(_translated)]
"""A setting with the URL of a database."""
