"""Middleware that records requests."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog
from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.audit.config import AuditSettings

logger = structlog.stdlib.get_logger("app.audit")

READS = {"GET", "HEAD", "OPTIONS"}


class AuditMiddleware:
    """Record requests, also those that fail, without bodies and query strings."""

    def __init__(self, app: ASGIApp, settings: AuditSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and record it; pass other scopes through."""
        if scope["type"] != "http" or not self._is_recorded(scope["method"]):
            await self.app(scope, receive, send)
            return
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            await self._record(scope, status)

    def _is_recorded(self, method: str) -> bool:
        return self.settings.reads or method not in READS

    async def _record(self, scope: Scope, status: int) -> None:
        record: dict[str, object] = {
            "at": datetime.now(UTC),
            "client": scope["client"][0] if scope.get("client") else None,
            "method": scope["method"],
            "path": scope["path"],
            "request_id": scope.get("state", {}).get("request_id"),
            "status": status,
        }
        if self.settings.file:
            await to_thread.run_sync(_append, self.settings.file, record)
        else:
            logger.info("audit", **{name: record[name] for name in ("client", "path", "status")})


def _append(file: Path, record: dict[str, object]) -> None:
    with file.open("ab") as log:
        log.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
