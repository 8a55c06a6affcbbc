"""Sessions, the commit, and the pool."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL, event, text

from app.db.session import Database, ReadSession, WriteSession
from app.main import create_app
from tests.conftest import client_of, settings_for
from tests.database import unreachable


@pytest.fixture
async def app(own_database: URL) -> AsyncIterator[FastAPI]:
    """The application with a pool of one connection, and a table."""
    app = create_app(settings_for(own_database, database_pool_size=1, database_max_overflow=0))
    async with app.router.lifespan_context(app):
        await create_notes(app)
        yield app


async def create_notes(app: FastAPI) -> None:
    """Create the table and the routes."""
    async with app.state.database.engine.connect() as connection:
        await connection.execute(text("CREATE TABLE notes (body varchar(100) UNIQUE)"))
        await connection.commit()
    add_routes(app)


def add_routes(app: FastAPI) -> None:
    """Add routes that write, read, fail and stream."""

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


async def test_violated_constraint_is_a_conflict(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/notes", params={"body": "a"})).status_code == 201
    response = await client.post("/notes", params={"body": "a"})
    assert (response.status_code, response.json()["type"]) == (409, "conflict")
    assert "UNIQUE" not in response.text.upper()
    assert (await client.get("/notes")).json() == 1


async def test_one_of_ten_concurrent_inserts_of_a_unique_value_wins(own_database: URL) -> None:
    app = create_app(settings_for(own_database))
    await create_notes(app)
    async with client_of(app) as client:
        responses = [client.post("/notes", params={"body": "a"}) for _ in range(10)]
        found = sorted(response.status_code for response in await asyncio.gather(*responses))
    await app.state.database.close()
    assert found == [201] + [409] * 9


async def test_exception_rolls_back(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/failures", params={"body": "a"})).status_code == 500
    assert (await client.get("/notes")).json() == 0


async def test_hundred_clients_share_one_connection(client: httpx2.AsyncClient) -> None:
    writes = [client.post("/notes", params={"body": str(number)}) for number in range(100)]
    reads = [client.get("/notes") for _ in range(100)]
    responses = await asyncio.gather(*writes, *reads)
    assert {response.status_code for response in responses} == {200, 201}
    assert (await client.get("/notes")).json() == 100


async def test_without_a_free_connection_the_client_is_told_to_retry(
    own_database: URL, capsys: pytest.CaptureFixture[str]
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
            response = await client.get("/notes")
        assert (response.status_code, response.json()["type"]) == (503, "database-unavailable")
        assert response.headers["retry-after"] == "1"
        assert (await client.get("/notes")).status_code == 200
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logged = next(line for line in lines if line["message"] == "no free connection")
    assert "timed out" in logged["reason"]
    await app.state.database.close()


async def test_without_a_database_the_client_is_told_to_retry(server: URL) -> None:
    nowhere = unreachable(server)
    if nowhere.host:
        nowhere = nowhere.set(password="pa55word")
    app = create_app(settings_for(nowhere))
    add_routes(app)
    async with client_of(app) as client:
        for response in (await client.get("/notes"), await client.post("/notes?body=a")):
            assert (response.status_code, response.json()["type"]) == (503, "database-unavailable")
            assert response.headers["retry-after"] == "1"
            assert "pa55word" not in response.text


async def test_cancelled_statement_is_no_outage(own_database: URL) -> None:
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
