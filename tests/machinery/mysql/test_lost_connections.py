"""Connections that the server closes."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

from sqlalchemy import URL, text

from app.db.session import Database, ReadSession
from app.main import create_app
from tests.conftest import client_of, settings_for


async def close_others(database: Database) -> None:
    """Close every other connection to the database."""
    others = text(
        "SELECT id FROM information_schema.processlist "
        "WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    )
    async with database.read() as session:
        for number in (await session.scalars(others)).all():
            await session.execute(text(f"KILL {number}"))


async def test_connections_that_the_server_closed_are_replaced(own_database: URL) -> None:
    app = create_app(settings_for(own_database, database_ping_after=0))
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 200
        other = Database.create(app.state.settings)
        await close_others(other)
        assert (await client.get("/readyz")).status_code == 200
        await other.close()
    await app.state.database.close()


async def test_lost_connection_is_an_outage_and_the_next_request_works(own_database: URL) -> None:
    app = create_app(settings_for(own_database))

    @app.get("/notes")
    async def read(session: ReadSession) -> None:
        await session.execute(text("SELECT 1"))

    other = Database.create(app.state.settings)
    async with client_of(app) as client:
        assert (await client.get("/notes")).status_code == 200
        await close_others(other)
        response = await client.get("/notes")
        assert (response.status_code, response.json()["type"]) == (503, "database-unavailable")
        assert (await client.get("/notes")).status_code == 200
    await other.close()
    await app.state.database.close()
