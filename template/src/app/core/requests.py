"""Middleware for every request: the host it is for, its id, and one line in the log."""

import re
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

logger = structlog.stdlib.get_logger("app.requests")

ACCEPTABLE_ID = re.compile(r"[\w.:=+/-]{1,128}", re.ASCII)


PROBES = {"/livez", "/readyz", "/healthz"}
STARTS = {"http.response.start", "websocket.http.response.start", "websocket.accept"}


class HostMiddleware(TrustedHostMiddleware):
    """Refuse requests for other hosts than those allowed.

    Probes pass: a load balancer sends them to the address of the process.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or refuse it with a 400; pass other scopes through."""
        serve = self.app if scope.get("path") in PROBES else super().__call__
        await serve(scope, receive, send)


class RequestMiddleware:
    """Bind `request_id` to the log, return it as `X-Request-ID`, and log each response.

    A request id sent by the client is kept if it consists of 1 to 128 letters, digits and
    `_ . : = + / -`. Query strings are not logged, since they may contain personal data. A
    WebSocket is logged when it is closed, with the status of its handshake.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket; pass other scopes through."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if ACCEPTABLE_ID.fullmatch(sent) else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        # A server answers with a 403 where a WebSocket is closed before it was accepted.
        status = 500 if scope["type"] == "http" else 403

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in STARTS:
                status = message.get("status", 101)
                message.setdefault("headers", [])
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        start = perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                logger.info(
                    "request",
                    method=scope.get("method", "WEBSOCKET"),
                    path=scope["path"],
                    status=status,
                    duration_ms=round((perf_counter() - start) * 1000, 1),
                )
