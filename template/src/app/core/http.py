"""Calls to other services."""

from typing import Annotated

import httpx2
from fastapi import Depends, Request

from app.core.config import Settings


def create_http_client(settings: Settings) -> httpx2.AsyncClient:
    """A client with a connection pool; every call ends after `APP_HTTP_TIMEOUT` seconds."""
    return httpx2.AsyncClient(timeout=settings.http_timeout)


async def get_http_client(request: Request) -> httpx2.AsyncClient:
    """The client that the application shares and closes at its end."""
    client: httpx2.AsyncClient = request.app.state.http_client
    return client


HTTPClient = Annotated[httpx2.AsyncClient, Depends(get_http_client)]
