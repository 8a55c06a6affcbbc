"""A client of WebSocket routes, in the event loop of the test."""

import asyncio
from typing import Any

from fastapi import FastAPI

DENIAL: dict[str, Any] = {"websocket.http.response": {}}
"""What a server says that can refuse a handshake with a response."""


async def dialogue(
    app: FastAPI,
    path: str,
    headers: dict[str, str] | None = None,
    extensions: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """What the application sends to a client that connects and waits."""
    sent: list[dict[str, Any]] = []
    received = asyncio.Queue[dict[str, Any]]()
    received.put_nowait({"type": "websocket.connect"})
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "extensions": extensions or {},
        "app": app,
    }

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, received.get, send)
    return sent
