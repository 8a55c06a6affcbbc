"""Sessions, the commit, and the pool."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import URL, text
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError

from app.core.database import Database, ReadSession, WriteSession
from app.main import create_app
from tests.conftest import client_of, settings_for


@pytest.fixture
async def app(own_database: URL) -> AsyncIterator[FastAPI]:
    """The application on a pool of one, and a table whose constraint acts at the commit."""
    app = create_app(settings_for(own_database, database_pool_size=1, database_max_overflow=0))
    async with app.router.lifespan_context(app):
        async with app.state.database.engine.connect() as connection:
            await connection.execute(
                text("CREATE TABLE notes (body text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            )
        add_routes(app)
        yield app


def add_routes(app: FastAPI) -> None:
    """Routes that write, read, fail and stream."""

    @app.post("/notes", status_code=201)
    async def write(body: str, session: WriteSession) -> None:
        await session.execute(text("INSERT INTO notes VALUES (:body)"), {"body": body})

    @app.post("/failures", status_code=201)
    async def fail(body: str, session: WriteSession) -> None:
        await write(body, session)
        message = "after the insert"
        raise RuntimeError(message)

    @app.get("/notes")
    async def count(session: ReadSession) -> int:
        return int((await session.execute(text("SELECT count(*) FROM notes"))).scalar_one())

    @app.get("/stream")
    async def stream(session: WriteSession) -> StreamingResponse:
        async def rows() -> AsyncIterator[str]:
            yield str((await session.execute(text("SELECT 1"))).scalar_one())

        return StreamingResponse(rows())


async def test_commit_that_fails_is_an_error_and_leaves_no_row(
    client: httpx2.AsyncClient,
) -> None:
    assert (await client.post("/notes", params={"body": "a"})).status_code == 201
    assert (await client.post("/notes", params={"body": "a"})).status_code == 500
    assert (await client.get("/notes")).json() == 1


async def test_exception_rolls_back(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/failures", params={"body": "a"})).status_code == 500
    assert (await client.get("/notes")).json() == 0


async def test_hundred_clients_share_one_connection(client: httpx2.AsyncClient) -> None:
    writes = [client.post("/notes", params={"body": str(number)}) for number in range(100)]
    reads = [client.get("/notes") for _ in range(100)]
    answers = await asyncio.gather(*writes, *reads)
    assert {answer.status_code for answer in answers} == {200, 201}
    assert (await client.get("/notes")).json() == 100


async def test_session_used_after_its_request_takes_no_connection(app: FastAPI) -> None:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        with pytest.raises(InvalidRequestError):
            await client.get("/stream")
    assert app.state.database.engine.pool.checkedout() == 0


async def test_changed_column_type_does_not_poison_connections(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    async def read() -> None:
        async with app.state.database.read() as session:
            await session.execute(text("SELECT body FROM notes"))

    for _ in range(10):  # a driver prepares a statement when it has seen it a few times
        await read()
    other = Database.create(app.state.settings)
    async with other.write.begin() as session:
        await session.execute(text("ALTER TABLE notes ALTER body TYPE varchar(50)"))
    await other.close()
    failures = 0
    for _ in range(3):
        try:
            await read()
        except SQLAlchemyError:
            failures += 1
    assert failures <= 1
    assert (await client.get("/notes")).status_code == 200


async def test_connections_that_the_server_closed_are_replaced(
    own_database: URL,
) -> None:
    settings = settings_for(own_database, database_ping_after=0, database_pool_size=1)
    app = create_app(settings)
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 200
        other = create_app(settings).state.database
        async with other.read() as session:
            await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        await other.close()
        assert (await client.get("/readyz")).status_code == 200
    await app.state.database.close()
