"""What talks to the database."""

from app.db.session import Database
from tools.driver import DRIVER


async def test_service_connects_by_the_chosen_driver(database: Database) -> None:
    async with database.read() as session:
        pooled = await (await session.connection()).get_raw_connection()
        assert type(pooled.driver_connection).__module__.partition(".")[0] == DRIVER
