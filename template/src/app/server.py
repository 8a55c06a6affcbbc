"""The application as granian serves it, behind proxies that say who the client is."""

import os
from collections.abc import Callable
from importlib import import_module

from starlette.types import ASGIApp

from app.main import create_app

# Imported by name because its types are incomplete.
wrap: Callable[[ASGIApp, str], ASGIApp] = import_module(
    "granian.utils.proxies"
).wrap_asgi_with_proxy_headers


def create_server_app() -> ASGIApp:
    """Build the application; it believes `X-Forwarded-For` and `X-Forwarded-Proto` of proxies.

    `FORWARDED_ALLOW_IPS` lists their addresses or networks, separated by commas; `*` means all.
    """
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    return wrap(create_app(), proxies)
