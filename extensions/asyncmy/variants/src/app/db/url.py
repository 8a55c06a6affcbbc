"""The URL of the database: what providers give is translated for asyncmy, or refused."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE = "mysql+asyncmy://user:password@host/name"
PARAMETERS = {
    "charset",
    "local_infile",
    "program_name",
    "read_default_file",
    "read_default_group",
    "server_public_key",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_check_hostname",
    "ssl_cipher",
    "ssl_key",
    "ssl_mode",
    "unix_socket",
}
RENAMED = {"socket": "unix_socket", "sslmode": "ssl_mode", "ssl": "ssl_mode"}
SSL_MODES = {
    **dict.fromkeys(("disabled", "disable", "false"), "DISABLED"),
    **dict.fromkeys(("required", "require", "true"), "REQUIRED"),
    "verify_ca": "VERIFY_CA",
    **dict.fromkeys(("verify_identity", "verify_full"), "VERIFY_IDENTITY"),
}


def parse_url(text: str) -> URL:
    """The URL for SQLAlchemy and asyncmy, whichever driver `text` names.

    Raises:
        ValueError: it cannot be used; the message says what to write, and repeats no value.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        url = URL.create("unknown")
    # What follows a second @, except in a parameter's value, would be taken for the host.
    if url.get_backend_name() not in {"mysql", "mysql2", "mariadb"} or not re.fullmatch(
        r"[^@]*@?[^@?]*(\?[^@=]+=.*)?", text.strip()
    ):
        raise ValueError(f"Use a URL such as {EXAMPLE}, with %40 for an @ in the password")
    query = {name.replace("-", "_"): str(value) for name, value in url.query.items()}
    query = {RENAMED.get(name, name): value for name, value in query.items()}
    if url.host and "%" in url.host:
        query["unix_socket"] = unquote(url.host)
        url = url.set(host="localhost")
    if "connect_timeout" in query:
        raise ValueError("Remove connect_timeout from the URL: set APP_DATABASE_CONNECT_TIMEOUT")
    for name in query.keys() - PARAMETERS:
        raise ValueError(f"Remove {name} from the URL: asyncmy does not know it")
    return url.set(drivername="mysql+asyncmy", query=_with_tls(query))


def _with_tls(query: dict[str, str]) -> dict[str, str]:
    """Write the `ssl_mode`, which asyncmy does not know, by parameters that it knows."""
    if "ssl_ca" in query and not Path(query["ssl_ca"]).is_file():
        raise ValueError("The file that ssl_ca names does not exist")
    if "ssl_mode" not in query:
        return query
    mode = SSL_MODES.get(query.pop("ssl_mode").lower().replace("-", "_"))
    if mode is None or (mode.startswith("VERIFY") and not {"ssl_ca", "ssl_capath"} & query.keys()):
        raise ValueError(
            "Use ssl_mode DISABLED, REQUIRED or, with an ssl_ca, VERIFY_CA or VERIFY_IDENTITY"
        )
    query.pop("ssl_check_hostname", None)
    if mode == "DISABLED":
        return {name: value for name, value in query.items() if not name.startswith("ssl_")}
    return query if mode == "VERIFY_IDENTITY" else {**query, "ssl_check_hostname": "false"}


def _translated(value: SecretStr) -> SecretStr:
    return SecretStr(parse_url(value.get_secret_value()).render_as_string(hide_password=False))


DatabaseURL = Annotated[SecretStr, AfterValidator(_translated)]
"""A setting with the URL of a database."""
