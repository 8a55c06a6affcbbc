"""How many statements a request takes, counted by SQLite itself."""

from sqlalchemy import URL, event
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from app.main import create_app
from tests.accounts import log_in
from tests.conftest import client_of, settings_for


def traced(engine: AsyncEngine) -> list[str]:
    """A list that each statement of the engine is added to, BEGIN and COMMIT too."""
    statements: list[str] = []

    @event.listens_for(engine.sync_engine, "connect")
    def trace(connection: AdaptedConnection, _record: object) -> None:
        connection.run_async(lambda driver: driver.set_trace_callback(statements.append))

    return statements


async def test_statements_of_warm_requests(own_database: URL) -> None:
    app = create_app(settings_for(own_database))
    statements = traced(app.state.database.engine)
    async with app.router.lifespan_context(app), client_of(app) as client:
        await log_in(client)

        async def trips(method: str, path: str, json: object = None) -> int:
            for _ in range(8):  # until everything is cached
                await client.request(method, path, json=json)
            statements.clear()
            answer = await client.request(method, path, json=json)
            assert answer.is_success, answer.text
            return len(statements)

        created = await client.post("/items", json={"name": "lamp"})
        path = f"/items/{created.json()['id']}"
        assert await trips("GET", "/users/me") == 1
        assert await trips("GET", "/items") == 2
        assert await trips("GET", path) == 2
        assert await trips("POST", "/items", {"name": "lamp"}) == 4
        assert await trips("PATCH", path, {"description": "brass"}) <= 5
