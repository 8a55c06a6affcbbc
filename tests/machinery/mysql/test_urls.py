"""URLs as providers write them: each works with asyncmy, or is refused at the start."""

# Depends on: src/app/db/url.py src/app/db/engine.py

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
import trustme
from sqlalchemy import text

from app.core.config import ConfigurationError, Settings, load_settings
from app.db.errors import DatabaseUnavailable
from app.db.session import Database

PASSWORD = "p@ss/w:rd"
LOGIN = f"app:{quote(PASSWORD, safe='')}"
# The URL, and whether its connection is encrypted.
WORKING = {
    "mysql://{login}@{host}/app": False,
    "mysql://{login}@{host}/app\n": False,
    "mysql2://{login}@{host}/app": False,
    "mariadb://{login}@{host}/app": False,
    "mysql+pymysql://{login}@{host}/app?charset=utf8mb4": False,
    "mysql+aiomysql://{login}@{host}/app": False,
    "mysql://{login}@{host}/app?program_name=me@here": False,
    "mysql://{login}@{host}/app?ssl-mode=DISABLED": False,
    "mysql://{login}@{host}/app?ssl-mode=REQUIRED": True,
    "mysql://{login}@{host}/app?sslmode=require": True,
    "mysql://{login}@{host}/app?ssl=true": True,
    "mysql://{login}@{host}/app?ssl_ca={folder}/ca.pem": True,
    "mysql://{login}@{host}/app?ssl-mode=VERIFY_CA&ssl-ca={folder}/ca.pem": True,
    "mysql://{login}@{host}/app?ssl-mode=VERIFY_IDENTITY&ssl-ca={folder}/ca.pem": True,
    "mysql://{login}@[::1]:{port}/app?ssl-mode=REQUIRED": True,
    "mysql://{login}@localhost/app?unix_socket={folder}/s": False,
    "mysql://{login}@localhost/app?socket={folder}/s": False,
    "mysql://{login}@{quoted}/app": False,
}
CONNECTION = "Use a URL such as mysql+asyncmy://"
MODES = "Use ssl_mode DISABLED, REQUIRED or, with an ssl_ca,"
REFUSED = {
    "host/name": CONNECTION,
    "postgres://user:pa55word@host/name": CONNECTION,
    "sqlite:///pa55word": CONNECTION,
    "mysql://user:pa55word@with@host/name": "with %40 for an @ in the password",
    "mysql://user:pa55word@host:port/name": CONNECTION,
    "mysql://user:pa55word@host/name?ssl-mode=PREFERRED": MODES,
    "mysql://user:pa55word@host/name?ssl-mode=VERIFY_IDENTITY": MODES,
    "mysql://user:pa55word@host/name?sslmode=verify-full": MODES,
    'mysql://user:pa55word@host/name?ssl={"rejectUnauthorized":true}': MODES,
    "mysql://user:pa55word@host/name?ssl-ca=/no": "The file that ssl_ca names does not exist",
    "mysql://user:pa55word@host/name?connect_timeout=33": "set APP_DATABASE_CONNECT_TIMEOUT",
    "mysql://user:pa55word@host/name?sslaccept=strict": "Remove sslaccept from the URL",
    "mysql://user:pa55word@host/name?reconnect=true": "Remove reconnect from the URL",
}


@dataclass(frozen=True)
class Server:
    """A server with TLS."""

    folder: Path
    """Of its socket and the certificates of authorities."""
    port: int

    def url(self, form: str) -> str:
        """The URL with the values of this server."""
        return form.format(
            login=LOGIN,
            host=f"127.0.0.1:{self.port}",
            port=self.port,
            folder=self.folder,
            quoted=quote(f"{self.folder}/s", safe=""),
        )


@pytest.fixture(scope="module")
def tls_server() -> Iterator[Server]:
    """A MariaDB of this machine, started for these tests."""
    programs = [shutil.which(name) for name in ("mariadbd", "mariadb-install-db")]
    if not all(programs):
        # Not skipped: what is only counted in a long run is not seen.
        pytest.fail("install mariadbd and mariadb-install-db: Debian's mariadb-server-core")
    program, install = map(str, programs)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_certificates(folder)
        data = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={getuser()}"]
        subprocess.run([install, *data], check=True, capture_output=True)
        start = folder / "start.sql"
        start.write_text("CREATE DATABASE app;\n" + "".join(map(new_user, ["%", "localhost"])))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [program, *data, f"--port={port}", "--bind-address=127.0.0.1,::1"]
        command += [f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}"]
        command += [f"--ssl-cert={folder / 'server.pem'}", f"--ssl-key={folder / 'server.pem'}"]
        command += [f"--init-file={start}"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            wait_for(port)
            yield Server(folder, port)
            process.terminate()


def new_user(host: str) -> str:
    """The SQL that creates the user; the installed anonymous one would match before `%`."""
    user = f"app@'{host}'"
    return f"CREATE USER {user} IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON app.* TO {user};\n"


def wait_for(port: int) -> None:
    """Wait until the server listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)


def write_certificates(folder: Path) -> None:
    """Write those of the server and of two authorities."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1", "::1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))


def read(monkeypatch: pytest.MonkeyPatch, url: str) -> Settings:
    """The settings of a service that is started with this URL."""
    monkeypatch.setenv("APP_DATABASE_URL", url)
    return load_settings(Settings)


@pytest.mark.parametrize("form", WORKING)
async def test_url_works(tls_server: Server, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    settings = read(monkeypatch, tls_server.url(form))
    # What was read can be read again, for instance from the environment of a child.
    settings = read(monkeypatch, settings.database_url.get_secret_value())
    database = Database.create(settings)
    async with database.read() as session:
        name = await session.scalar(text("SELECT DATABASE()"))
        cipher = (await session.execute(text("SHOW STATUS LIKE 'Ssl_cipher'"))).one()[1]
    await database.close()
    assert name == "app"
    assert bool(cipher) is WORKING[form]


async def test_certificate_of_another_authority_is_refused(
    tls_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = "mysql://{login}@{host}/app?ssl-mode=VERIFY_CA&ssl-ca={folder}/other.pem"
    database = Database.create(read(monkeypatch, tls_server.url(form)))
    async with database.read() as session:
        with pytest.raises(DatabaseUnavailable):
            await session.execute(text("SELECT 1"))
    await database.close()


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused_with_what_to_write(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(monkeypatch, url)
    assert REFUSED[url] in str(refusal.value)
    assert "pa55word" not in str(refusal.value)
