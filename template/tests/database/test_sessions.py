"""Sessions, the commit, and the pool."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import SecretStr
from sqlalchemy import URL, event, text
from sqlalchemy.exc import InvalidRequestError

from app.core.config import Settings
from app.db.session import Database, ReadSession, WriteSession
from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.databases import NOWHERE


@pytest.fixture
async def app(own_database: URL) -> AsyncIterator[FastAPI]:
    """The application on a pool of one, and a table to write to."""
    app = create_app(settings_for(own_database, database_pool_size=1, database_max_overflow=0))
    async with app.router.lifespan_context(app):
        await create_notes(app)
        yield app


async def create_notes(app: FastAPI) -> None:
    """Create the table, and add the routes."""
    async with app.state.database.engine.connect() as connection:
        await connection.execute(text("CREATE TABLE notes (body varchar(100) UNIQUE)"))
        await connection.commit()
    add_routes(app)


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


async def test_constraint_that_is_violated_is_a_conflict(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/notes", params={"body": "a"})).status_code == 201
    answer = await client.post("/notes", params={"body": "a"})
    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert "UNIQUE" not in answer.text.upper()
    assert (await client.get("/notes")).json() == 1


async def test_of_those_that_race_for_a_unique_value_one_wins(own_database: URL) -> None:
    app = create_app(settings_for(own_database))
    await create_notes(app)
    async with client_of(app) as client:
        answers = [client.post("/notes", params={"body": "a"}) for _ in range(10)]
        found = sorted(answer.status_code for answer in await asyncio.gather(*answers))
    await app.state.database.close()
    assert found == [201] + [409] * 9


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


async def test_without_a_free_connection_the_caller_is_asked_to_come_again(
    own_database: URL,
) -> None:
    app = create_app(
        settings_for(
            own_database,
            database_pool_size=1,
            database_max_overflow=0,
            database_pool_timeout=0.1,
        )
    )
    await create_notes(app)
    async with client_of(app) as client:
        async with app.state.database.engine.connect():
            answer = await client.get("/notes")
        assert (answer.status_code, answer.json()["type"]) == (503, "database-unavailable")
        assert answer.headers["retry-after"] == "1"
        assert (await client.get("/notes")).status_code == 200
    await app.state.database.close()


async def test_without_a_database_the_caller_is_asked_to_come_again() -> None:
    app = create_app(Settings(environment="test", database_url=SecretStr(NOWHERE)))
    add_routes(app)
    async with client_of(app) as client:
        for answer in (await client.get("/notes"), await client.post("/notes?body=a")):
            assert (answer.status_code, answer.json()["type"]) == (503, "database-unavailable")
            assert answer.headers["retry-after"] == "1"
            assert "pa55word" not in answer.text


async def test_who_cancels_a_statement_is_not_told_of_an_outage(own_database: URL) -> None:
    database = Database.create(settings_for(own_database))

    async def read() -> None:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))

    reading = asyncio.create_task(read())

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def cancel(*_: object) -> None:
        reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    await database.close()
