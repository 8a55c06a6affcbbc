"""The URL of the database: what providers give is translated for asyncpg, or refused."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlencode

from pydantic import AfterValidator, SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE = "postgresql+asyncpg://user:password@host/name"
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
ARGUMENTS = {"dsn", "host", "port", "prepared_statement_cache_size"}
"""Parameters that SQLAlchemy passes on to asyncpg's connect()."""
LIBPQ = {
    "application_name",
    "gsslib",
    "krbsrvname",
    "options",
    "passfile",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "target_session_attrs",
}
"""Parameters that asyncpg reads in a URL only, which is its argument `dsn`."""
DROPPED = {"channel_binding", "gssencmode"}
"""Parameters that asyncpg does not know, and that demand nothing unless they are `require`."""


def parse_url(text: str) -> URL:
    """The URL for SQLAlchemy and asyncpg, whichever driver `text` names.

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
        raise ValueError(f"Use a URL such as {EXAMPLE}, with %40 for an @ in the password")
    query = dict(url.query)
    if url.host and "%" in url.host:
        query["host"] = unquote(url.host)  # the folder of a socket
        url = url.set(host="")
    if ssl := query.pop("ssl", None):
        query["sslmode"] = "require" if ssl == "true" else ssl
    query = {n: value for n, value in query.items() if n not in DROPPED or value == "require"}
    _check(query)
    arguments = {name: value for name, value in query.items() if name in ARGUMENTS}
    if libpq := {name: value for name, value in query.items() if name in LIBPQ}:
        arguments["dsn"] = f"postgresql://?{urlencode(libpq)}"
    return url.set(drivername="postgresql+asyncpg", query=arguments)


def _check(query: dict[str, str | tuple[str, ...]]) -> None:
    """Refuse parameters that would fail at the first connection, or be overridden."""
    if "connect_timeout" in query:
        raise ValueError("Remove connect_timeout from the URL: set APP_DATABASE_CONNECT_TIMEOUT")
    for name in query.keys() - ARGUMENTS - LIBPQ:
        raise ValueError(f"Remove {name} from the URL: asyncpg does not know it")
    if query.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"Use an sslmode of {', '.join(sorted(SSL_MODES))}")
    if "sslrootcert" in query and not Path(str(query["sslrootcert"])).is_file():
        raise ValueError(
            "Name an existing file as sslrootcert; asyncpg does not know the value system"
        )


def _translated(value: SecretStr) -> SecretStr:
    return SecretStr(parse_url(value.get_secret_value()).render_as_string(hide_password=False))


DatabaseURL = Annotated[SecretStr, AfterValidator(_translated)]
"""A setting with the URL of a database."""
