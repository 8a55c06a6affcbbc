"""WebSocket routes have the same dependencies, ids and errors as others."""

import json
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, HTTPException, WebSocket
from sqlalchemy import text

from app.db.errors import DatabaseUnavailable
from app.db.session import ReadSession, WriteSession
from tests.machinery.always.sockets import DENIAL, dialogue

SECRET = "never-in-a-response"
router = APIRouter()


@router.websocket("/reads")
async def read(websocket: WebSocket, session: ReadSession) -> None:
    """Use a session that reads."""
    await websocket.accept()
    await websocket.send_json(await session.scalar(text("SELECT 1")))
    await websocket.close()


@router.websocket("/writes")
async def write(websocket: WebSocket, session: WriteSession) -> None:
    """Use a session that writes."""
    await websocket.accept()
    await websocket.send_json(await session.scalar(text("SELECT 1")))
    await websocket.close()


@router.websocket("/early/{number}")
async def fail_early(number: int) -> None:
    """Raise before the handshake is answered."""
    raise error_of(number)


@router.websocket("/late/{number}")
async def fail_late(websocket: WebSocket, number: int) -> None:
    """Raise in an open WebSocket."""
    await websocket.accept()
    raise error_of(number)


def error_of(number: int) -> Exception:
    """An error of the service, or one of FastAPI."""
    return [DatabaseUnavailable(), HTTPException(403, "go away")][number]


STATUSES = [503, 403]
CODES = [1011, 1008]


@pytest.fixture
def sockets(app: FastAPI) -> FastAPI:
    """The application, with the routes above."""
    app.include_router(router)
    return app


@pytest.mark.parametrize("path", ["/reads", "/writes"])
async def test_sessions_work(sockets: FastAPI, path: str) -> None:
    accept, message, close = await dialogue(sockets, path, {"X-Request-ID": "order-66"})
    assert (b"x-request-id", b"order-66") in accept["headers"]
    assert (message["text"], close["type"]) == ("1", "websocket.close")


@pytest.mark.parametrize("number", [0, 1])
async def test_problem_refuses_the_handshake(sockets: FastAPI, number: int) -> None:
    start, body = await dialogue(sockets, f"/early/{number}", extensions=DENIAL)
    assert start["type"] == "websocket.http.response.start"
    assert start["status"] == STATUSES[number]
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/problem+json"
    assert json.loads(body["body"])["request_id"] == headers[b"x-request-id"].decode()


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("path", "extensions"), [("/late", DENIAL), ("/late", None), ("/early", None)]
)
async def test_problem_closes_with_a_reason(
    sockets: FastAPI, path: str, extensions: dict[str, Any] | None, number: int
) -> None:
    *_, close = await dialogue(sockets, f"{path}/{number}", extensions=extensions)
    assert (close["type"], close["code"]) == ("websocket.close", CODES[number])
    assert 0 < len(close["reason"].encode()) <= 123


async def test_invalid_parameter_is_refused_without_repeating_it(sockets: FastAPI) -> None:
    start, body = await dialogue(sockets, f"/early/{SECRET}", extensions=DENIAL)
    assert start["status"] == 422
    assert SECRET not in body["body"].decode()
    (close,) = await dialogue(sockets, f"/early/{SECRET}")
    assert (close["type"], close["code"]) == ("websocket.close", 1008)


async def test_websockets_are_logged(sockets: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    await dialogue(sockets, "/reads")
    await dialogue(sockets, "/early/0", extensions=DENIAL)
    await dialogue(sockets, "/early/0")
    requests = [record for record in caplog.records if record.name == "app.requests"]
    assert [json.loads(record.getMessage())["status"] for record in requests] == [101, 503, 403]
