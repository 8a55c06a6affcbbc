"""The driver of the service's connections."""

# Depends on: src/app/db/engine.py src/app/db/errors.py src/app/db/session.py

from app.db.session import Database


async def test_service_connects_by_the_chosen_driver(database: Database) -> None:
    async with database.read() as session:
        pooled = await (await session.connection()).get_raw_connection()
        assert type(pooled.driver_connection).__module__.partition(".")[0] == "asyncpg"
