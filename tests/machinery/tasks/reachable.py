"""A broker that has to run already."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest


@contextmanager
def reachable(variable: str, default: str) -> Generator[str]:
    """Yield the URL in the variable, or the default; skip the test if nothing listens there."""
    url = os.environ.get(variable, default)
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname or "", address.port or 0), timeout=2).close()
    except OSError as error:
        if variable in os.environ:
            raise
        pytest.skip(f"nothing at {address.hostname}:{address.port} ({error}): set {variable}")
    yield url
