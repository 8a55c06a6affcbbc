"""A page of items takes a constant number of statements."""

from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import event

from app.db.session import Database
from tests.items.test_items import create_item
from tests.users.fixtures import log_in


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that the database has executed."""
    executed: list[str] = []

    def record(*details: object) -> None:
        executed.append(str(details[2]))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", record)
    yield executed
    event.remove(engine, "before_cursor_execute", record)


async def test_page_takes_the_same_statements_for_one_item_as_for_many(
    client: httpx2.AsyncClient, statements: list[str]
) -> None:
    await log_in(client)
    for number in (1, 10):
        for _ in range(number):
            await create_item(client)
        statements.clear()
        assert (await client.get("/items")).status_code == 200
        assert len(statements) == 2
