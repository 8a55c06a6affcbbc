"""The linter of migrations finds what blocks a table in use, and nothing else."""

import pytest

from tests.test_migrations import lint


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE items ALTER COLUMN name TYPE bigint;",
        "ALTER TABLE items ADD COLUMN size int NOT NULL;",
        "CREATE INDEX ix_items_name ON items (name);",
        "ALTER TABLE items ADD CONSTRAINT uq_items_name UNIQUE (name);",
    ],
)
async def test_change_that_blocks_a_table_is_found(sql: str) -> None:
    assert "revision.sql" in await lint(sql, "revision.sql")


async def test_harmless_change_passes() -> None:
    assert not await lint("ALTER TABLE items ADD COLUMN size varchar(10);", "revision.sql")
