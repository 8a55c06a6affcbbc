"""URLs as providers write them: each works with the driver, or is refused at the start."""

# Depends on: src/app/db/url.py src/app/db/engine.py tests/machinery/postgresql/tls.py

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from sqlalchemy import URL, text

from app.core.config import ConfigurationError, Settings, load_settings
from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from tests.machinery.postgresql.tls import Proxy, tls_proxy

# The URL, and whether its connection is encrypted.
WORKING = {
    "postgres://{login}@{host}/{name}": True,
    "postgresql://{login}@{host}/{name}": True,
    "postgresql://{login}@{host}/{name}\n": True,
    "postgresql+psycopg://{login}@{host}/{name}": True,
    "postgresql+asyncpg://{login}@{host}/{name}": True,
    "postgresql+psycopg2://{login}@{host}/{name}": True,
    "postgres://{login}@{host}/{name}?sslmode=disable": False,
    "postgres://{login}@{host}/{name}?sslmode=require": True,
    "postgres://{login}@{host}/{name}?ssl=true": True,
    "postgres://{login}@{host}/{name}?ssl=require": True,
    "postgres://{login}@{host}/{name}?sslmode=verify-ca&sslrootcert={folder}/ca.pem": True,
    "postgres://{login}@{host}/{name}?sslmode=verify-full&sslrootcert={folder}/ca.pem": True,
    "postgres://{login}@{host}/{name}?sslmode=require&channel_binding=prefer": True,
    "postgres://{login}@{host}/{name}?sslmode=disable&gssencmode=disable": False,
    "postgres://{login}@{host}/{name}?target_session_attrs=read-write": True,
    "postgres://{login}@{host}/{name}?sslmode=require&application_name=me@here": True,
    "postgres://{login}@[::1]:{port}/{name}?sslmode=require": True,
    "postgresql://{login}@/{name}?host={folder}&port={port}": False,
    "postgresql://{login}@{quoted}:{port}/{name}": False,
}
CONNECTION = "Use a URL such as postgresql+"
REFUSED = {
    "host/name": CONNECTION,
    "https://user:pa55word@host/name": CONNECTION,
    "mysql://user:pa55word@host/name": CONNECTION,
    "sqlite:///pa55word": CONNECTION,
    "postgres://user:pa55word@with@host/name": "with %40 for an @ in the password",
    "postgres://user:pa55?word@with@host/name": "with %40 for an @ in the password",
    "postgres://user:with@pa55word?x@host/name": "with %40 for an @ in the password",
    "postgres://user:pa55word@host:port/name": CONNECTION,
    "postgres://user:pa55word@host/name?pgbouncer=true": "Remove pgbouncer from the URL",
    "postgres://user:pa55word@host/name?sslaccept=strict": "Remove sslaccept from the URL",
    "postgres://user:pa55word@host/name?sslmode=on": "Use an sslmode of allow, disable, prefer, ",
    "postgres://user:pa55word@host/name?sslmode=verify-full&sslrootcert=/no": "sslrootcert",
}


@pytest.fixture
def proxy(own_database: URL) -> Iterator[Proxy]:
    """A server with TLS before the database of the test."""
    # The path of the default temporary folder of pytest is too long for a socket.
    with TemporaryDirectory() as folder, tls_proxy(own_database, Path(folder)) as proxy:
        yield proxy


def filled(form: str, proxy: Proxy) -> str:
    """The URL with the values of this server."""
    server = proxy.server
    return form.format(
        login=f"{server.username}:{quote(server.password or 'p@ss/w:rd', safe='')}",
        host=f"localhost:{proxy.port}",
        name=server.database,
        port=proxy.port,
        folder=proxy.folder,
        quoted=quote(str(proxy.folder), safe=""),
    )


def read(monkeypatch: pytest.MonkeyPatch, url: str) -> Settings:
    """The settings of a service that is started with this URL."""
    monkeypatch.setenv("APP_DATABASE_URL", url)
    return load_settings(Settings)


def has_ipv6() -> bool:
    """Whether this machine can listen on `::1`."""
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.parametrize("form", WORKING)
async def test_url_works(proxy: Proxy, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    if "[::1]" in form and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    settings = read(monkeypatch, filled(form, proxy))
    # What was read can be read again, for instance from the environment of a child.
    settings = read(monkeypatch, settings.database_url.get_secret_value())
    database = Database.create(settings)
    async with database.read() as session:
        name = await session.scalar(text("SELECT current_database()"))
    await database.close()
    assert name == proxy.server.database
    assert proxy.encrypted[-1] is WORKING[form]


async def test_certificate_of_another_authority_is_refused(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = "postgres://{login}@{host}/{name}?sslmode=verify-full&sslrootcert={folder}/other.pem"
    database = Database.create(read(monkeypatch, filled(form, proxy)))
    async with database.read() as session:
        with pytest.raises(DatabaseUnavailable):
            await session.execute(text("SELECT 1"))
    await database.close()


async def test_parameters_reach_the_server_beside_the_timeouts(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = "application_name=a+service&options=-c%20search_path%3Dpg_catalog"
    url = filled("postgres://{login}@{host}/{name}?", proxy) + parameters
    database = Database.create(read(monkeypatch, url))
    names = ("application_name", "search_path", "statement_timeout", "lock_timeout")
    async with database.read() as session:
        found = [await session.scalar(text(f"SHOW {name}")) for name in names]
    await database.close()
    assert found == ["a service", "pg_catalog", "30s", "10s"]


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(monkeypatch, url)
    assert REFUSED[url] in str(refusal.value)
    assert "pa55word" not in str(refusal.value)
