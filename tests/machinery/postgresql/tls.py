"""A PostgreSQL server with TLS: a proxy, since the embedded server is built without it."""

import select
import socket
import socketserver
import ssl
import struct
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import trustme
from sqlalchemy import URL

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)
TIMEOUT = 60


class TCPServer(socketserver.ThreadingTCPServer):
    """A server whose connections do not keep the tests from ending."""

    daemon_threads = True
    block_on_close = False


class TCP6Server(TCPServer):
    """The same over IPv6."""

    address_family = socket.AF_INET6


class SocketServer(socketserver.ThreadingUnixStreamServer):
    """The same on a Unix socket."""

    daemon_threads = True
    block_on_close = False


@dataclass
class Proxy:
    """Where it listens, its certificates, and whether each connection was encrypted."""

    server: URL
    folder: Path
    context: ssl.SSLContext
    port: int = 0
    encrypted: list[bool] = field(default_factory=list[bool])

    def serve(self, client: socket.socket) -> None:
        """Serve one connection: negotiate, then pass everything on."""
        client.settimeout(TIMEOUT)
        with ExitStack() as stack, suppress(OSError):
            first = client.recv(8)
            while first in {SSL_REQUEST, GSS_REQUEST}:
                client.sendall(b"S" if first == SSL_REQUEST else b"N")
                if first == SSL_REQUEST:
                    client = self.context.wrap_socket(client, server_side=True)
                    stack.enter_context(client)
                first = client.recv(8)
            self.encrypted.append(isinstance(client, ssl.SSLSocket))
            server = stack.enter_context(self._connect())
            server.sendall(first)
            _pass_on(client, server)

    def _connect(self) -> socket.socket:
        host = str(self.server.query.get("host", self.server.host))
        port = self.server.port or 5432
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"{host}/.s.PGSQL.{port}")
        return connection


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    """Pass on in both ways until one side closes the connection."""
    while True:
        decrypted = isinstance(client, ssl.SSLSocket) and client.pending()
        ready = [client] if decrypted else select.select([client, server], [], [], TIMEOUT)[0]
        for each in ready:
            data = each.recv(65536)
            if not data:
                return
            (server if each is client else client).sendall(data)


@contextmanager
def tls_proxy(server: URL, folder: Path) -> Generator[Proxy]:
    """Listen on localhost, over IPv4, IPv6 if there is any, and on a socket in the folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    proxy = Proxy(server, folder, context)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            proxy.serve(self.request)

    with ExitStack() as stack:
        first = TCPServer(("127.0.0.1", 0), Handler)
        proxy.port = first.server_address[1]
        path = folder / f".s.PGSQL.{proxy.port}"
        listening = [first, SocketServer(str(path), Handler)]
        with suppress(OSError):
            listening.append(TCP6Server(("::1", proxy.port), Handler))
        for each in listening:
            stack.enter_context(each)
            Thread(target=each.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(each.shutdown)
        yield proxy
