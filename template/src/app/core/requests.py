"""Middleware for every request: its id, and one line in the log."""

import re
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

logger = structlog.stdlib.get_logger("app.requests")

ACCEPTABLE_ID = re.compile(r"[\w.:=+/-]{1,128}", re.ASCII)


class RequestMiddleware:
    """Bind `request_id` to the log, return it as `X-Request-ID`, and log each response.

    A request id sent by the client is kept if it consists of 1 to 128 letters, digits and
    `_ . : = + / -`. Query strings are not logged, since they may contain personal data.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; pass other scopes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if ACCEPTABLE_ID.fullmatch(sent) else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        start = perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                logger.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    duration_ms=round((perf_counter() - start) * 1000, 1),
                )
