"""Sessions that are used after the end of their request: they take no connection any more."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Annotated, Any, get_args

import httpx2
import pytest
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from sqlalchemy import URL, insert, table, text
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database, DatabaseDep, ReadSession, WriteSession
from app.main import create_app
from tests.conftest import settings_for

# By name, what an endpoint declares to have the session.
SESSIONS = {"reads": get_args(ReadSession)[1], "writes": get_args(WriteSession)[1]}


@pytest.fixture
async def app(own_database: URL) -> AsyncIterator[FastAPI]:
    """The application with a pool of one connection, and routes."""
    app = create_app(settings_for(own_database, database_pool_size=1, database_max_overflow=0))
    for name in SESSIONS:
        add_routes(app, name)
    async with app.router.lifespan_context(app):
        yield app


async def one(session: AsyncSession) -> int:
    """Use a session."""
    return int((await session.execute(text("SELECT 1"))).scalar_one())


def add_routes(app: FastAPI, name: str) -> None:
    """Add routes that use a session while they run, and then again."""
    dependency = SESSIONS[name]

    @app.get(f"/{name}/stream")
    async def stream(session: Annotated[AsyncSession, dependency]) -> StreamingResponse:
        async def rows() -> AsyncIterator[str]:
            yield str(await one(session))

        return StreamingResponse(rows())

    @app.get(f"/{name}/background")
    async def background(
        session: Annotated[AsyncSession, dependency], tasks: BackgroundTasks
    ) -> int:
        tasks.add_task(one, session)
        return await one(session)

    @app.websocket(f"/{name}/websocket")
    async def websocket(socket: WebSocket, session: Annotated[AsyncSession, dependency]) -> None:
        await socket.accept()
        await socket.send_json(await one(session))
        app.state.left = session


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    """A client that sees what the application raises."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test")


async def connect(app: FastAPI, path: str) -> list[MutableMapping[str, Any]]:
    """Connect to a WebSocket; returns what the application sent."""
    sent: list[MutableMapping[str, Any]] = []
    received = asyncio.Queue[MutableMapping[str, Any]]()
    await received.put({"type": "websocket.connect"})

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": path, "headers": [], "query_string": b""}
    await app(scope, received.get, send)
    return sent


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("way", ["stream", "background"])
async def test_session_raises_after_the_response(app: FastAPI, name: str, way: str) -> None:
    async with client_of(app) as client:
        with pytest.raises(InvalidRequestError, match="closed"):
            await client.get(f"/{name}/{way}")
    assert app.state.database.engine.pool.checkedout() == 0


@pytest.mark.parametrize("name", SESSIONS)
async def test_session_of_a_websocket_ends_with_it(app: FastAPI, name: str) -> None:
    sent = await connect(app, f"/{name}/websocket")
    assert [message["type"] for message in sent[:2]] == ["websocket.accept", "websocket.send"]
    assert sent[1]["text"] == "1"
    with pytest.raises(InvalidRequestError, match="closed"):
        await one(app.state.left)
    assert app.state.database.engine.pool.checkedout() == 0


async def test_stream_has_a_session_of_its_own(app: FastAPI) -> None:
    @app.get("/streamed")
    async def streamed(database: DatabaseDep) -> StreamingResponse:
        async def rows() -> AsyncIterator[str]:
            async with database.read() as session:
                yield str(await one(session))
                yield str(await one(session))

        return StreamingResponse(rows())

    async with client_of(app) as client:
        assert (await client.get("/streamed")).text == "11"
    assert app.state.database.engine.pool.checkedout() == 0


async def test_read_session_of_the_tests_refuses_changes(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(InvalidRequestError, match="stores nothing"):
            await session.execute(insert(table("notes")))


@pytest.mark.parametrize("name", ["read", "write"])
async def test_sessions_of_the_tests_end_like_those_of_the_service(
    database: Database, name: str
) -> None:
    async with getattr(database, name)() as session:
        assert await one(session) == 1
    with pytest.raises(InvalidRequestError, match="closed"):
        await one(session)
