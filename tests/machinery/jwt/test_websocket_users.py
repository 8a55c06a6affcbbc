"""WebSocket routes know their caller."""

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, WebSocket

from app.users.dependencies import CurrentUser
from app.users.security import SecurityDep
from tests.machinery.always.sockets import DENIAL, dialogue
from tests.users.fixtures import log_in

router = APIRouter()


@router.websocket("/me")
async def me(websocket: WebSocket, user: CurrentUser, _: SecurityDep) -> None:
    """Tell the caller who they are."""
    await websocket.accept()
    await websocket.send_text(user.email)
    await websocket.close()


@pytest.fixture
def sockets(app: FastAPI) -> FastAPI:
    """The application, with the route above."""
    app.include_router(router)
    return app


async def test_caller_is_known(sockets: FastAPI, client: httpx2.AsyncClient) -> None:
    await log_in(client)
    credentials = {"Authorization": client.headers["Authorization"]}
    _, message, _ = await dialogue(sockets, "/me", credentials)
    assert "@" in message["text"]


async def test_others_are_refused(sockets: FastAPI) -> None:
    start, _ = await dialogue(sockets, "/me", {"Authorization": "Bearer x"}, DENIAL)
    assert start["status"] == 401
    assert b"www-authenticate" in dict(start["headers"])
    (close,) = await dialogue(sockets, "/me")
    assert (close["type"], close["code"]) == ("websocket.close", 1008)
