"""Servers that have to be there already."""

import os
import socket
from urllib.parse import urlsplit

import pytest


def require(url: str, variable: str) -> None:
    """Skip the test if nobody listens there, unless the variable promises that somebody does."""
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname or "", address.port or 0), timeout=2).close()
    except OSError as error:
        if variable in os.environ:
            raise
        pytest.skip(f"nothing at {address.hostname}:{address.port} ({error}): set {variable}")
