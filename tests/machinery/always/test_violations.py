"""Which violated constraints are conflicts with other rows, and which are mistakes."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py src/app/core/errors.py

import json
import traceback
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.db.errors import ConstraintViolated
from app.db.session import Database, WriteSession
from app.main import create_app
from tests.conftest import client_of, settings_for

TABLES = (
    """
    CREATE TABLE notes (
        id int NOT NULL, body varchar(20) NOT NULL, size int, author varchar(20),
        CONSTRAINT pk_notes PRIMARY KEY (id),
        CONSTRAINT ck_notes_size CHECK (size > 0),
        CONSTRAINT uq_notes_body_size UNIQUE (body, size)
    )
    """,
    "CREATE UNIQUE INDEX uq_notes_author ON notes (author)",
    """
    CREATE TABLE notes_lines (
        note int, CONSTRAINT fk_notes_lines_note_notes FOREIGN KEY (note) REFERENCES notes (id)
    )
    """,
    "INSERT INTO notes VALUES (1, 'a', 1, 'x')",
    "INSERT INTO notes_lines VALUES (1)",
)
# What the client sent may look like an error message.
CONFLICTS = {
    "INSERT INTO notes VALUES (2, 'a', 1, 'y')": "uq_notes_body_size",
    "INSERT INTO notes VALUES (2, 'b', 1, 'x')": "uq_notes_author",
    "INSERT INTO notes VALUES (1, 'b', 1, 'y')": "",
    "INSERT INTO notes_lines VALUES (9)": "fk_notes_lines_note_notes",
    "DELETE FROM notes WHERE id = 1": "fk_notes_lines_note_notes",
}
MISTAKES = (
    "INSERT INTO notes VALUES (2, NULL, 1, 'y')",
    "INSERT INTO notes (id) VALUES (2)",
    "INSERT INTO notes VALUES (2, 'b', 0, 'y')",
)
SECRET = "zoe@example.org"
WITH_A_SECRET = {
    "INSERT INTO notes VALUES (2, NULL, 1, :secret)": "body",
    "INSERT INTO notes VALUES (2, 'b', 0, :secret)": "ck_notes_size",
    "INSERT INTO notes VALUES (2, 'b', 1, :secret), (3, 'c', 1, :secret)": "author",
}


@pytest.fixture
async def database(own_database: URL) -> AsyncIterator[Database]:
    """A database with a note and a line."""
    database = Database.create(settings_for(own_database))
    async with database.write.begin() as session:
        for statement in TABLES:
            await session.execute(text(statement))
    yield database
    await database.close()


def application(database: Database, url: URL) -> FastAPI:
    """The application with a route that executes any statement."""
    app = create_app(settings_for(url))
    app.state.database = database

    @app.post("/statements")
    async def execute(statement: str, session: WriteSession) -> None:
        await session.execute(text(statement))

    return app


@pytest.mark.parametrize("statement", CONFLICTS)
async def test_conflict_names_the_constraint(database: Database, statement: str) -> None:
    with pytest.raises(ConstraintViolated) as refusal:
        async with database.write.begin() as session:
            await session.execute(text(statement))
    expected = CONFLICTS[statement]
    if not expected.startswith("fk") or database.engine.dialect.name != "sqlite":
        assert expected in refusal.value.constraint
    assert refusal.value.constraint
    assert isinstance(refusal.value, IntegrityError)


@pytest.mark.parametrize("statement", MISTAKES)
async def test_other_violation_is_no_conflict(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError) as refusal:
        async with database.write.begin() as session:
            await session.execute(text(statement))
    assert not isinstance(refusal.value, ConstraintViolated)


@pytest.mark.parametrize("statement", WITH_A_SECRET)
async def test_error_names_what_was_violated_but_not_the_row(
    database: Database, statement: str
) -> None:
    with pytest.raises(DBAPIError) as refusal:
        async with database.write.begin() as session:
            await session.execute(text(statement), {"secret": SECRET})
    assert WITH_A_SECRET[statement] in str(refusal.value)
    assert SECRET not in "".join(traceback.format_exception(refusal.value))


async def test_conflict_is_a_409_whose_constraint_is_logged(
    own_database: URL, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    statement = next(iter(CONFLICTS))
    async with client_of(application(database, own_database)) as client:
        response = await client.post("/statements", params={"statement": statement})
    assert (response.status_code, response.json()["type"]) == (409, "conflict")
    assert "uq_notes" not in response.text
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logged = next(line for line in lines if line["message"] == "conflict")
    assert logged["constraint"] == "uq_notes_body_size"
    assert logged["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("statement", MISTAKES)
async def test_mistake_is_a_500_that_the_server_logs(
    own_database: URL, database: Database, statement: str
) -> None:
    app = application(database, own_database)
    async with client_of(app) as client:
        response = await client.post("/statements", params={"statement": statement})
    assert (response.status_code, response.json()["type"]) == (500, "internal-error")
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        with pytest.raises(DBAPIError):  # a server logs what an application raises
            await client.post("/statements", params={"statement": statement})
