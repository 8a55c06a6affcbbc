"""The linter of migrations finds what blocks a table in use, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import URL

from tests import test_migration_locks
from tests.conftest import alembic_config
from tests.database import new_database
from tests.test_migration_locks import can_be_repeated, lint, sql_of_upgrade

READING = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "reading", None

def upgrade():
    for number in op.get_bind().execute(sa.text("SELECT 7")).scalars().all():
        assert number == 7
        op.execute("CREATE TABLE seen (id uuid PRIMARY KEY, name text)")
    {more}
"""

INDEX = """
from alembic import op

revision, down_revision = "index", "reading"

def upgrade():
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_name ON seen (name)")
        {more}
"""


def history(folder: Path, index: str, more: str) -> Callable[[URL], Config]:
    """Write one revision, or two, and return what configures Alembic for them."""
    (folder / "reading.py").write_text(READING.format(more="" if index else more), "utf-8")
    if index:
        (folder / "index.py").write_text(index.format(more=more), "utf-8")

    def config_of(url: URL) -> Config:
        config = alembic_config(url)
        config.toml_alembic_config["version_locations"] = [str(folder)]
        return config

    return config_of


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
    sql = "SET LOCAL lock_timeout = '5s';\nALTER TABLE items ADD COLUMN size varchar(10);"
    assert not await lint(sql, "revision.sql")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('op.execute("CREATE INDEX CONCURRENTLY ix_other ON seen (id, name)")', True),
        ('op.execute("ALTER TABLE seen ADD COLUMN size int")', False),
    ],
)
async def test_what_is_done_concurrently_is_alone(
    server: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, *, expected: bool
) -> None:
    monkeypatch.setattr(test_migration_locks, "alembic_config", history(tmp_path, INDEX, more))
    async with new_database(server) as url:
        assert can_be_repeated(await sql_of_upgrade(url, "reading"))
        assert can_be_repeated(await sql_of_upgrade(url, "index")) is expected


async def test_change_without_a_limit_on_waiting_is_found() -> None:
    sql = "ALTER TABLE items ADD COLUMN size varchar(10);"
    assert "require-lock-timeout" in await lint(sql, "revision.sql")


@pytest.mark.parametrize(
    ("comment", "is_found"), [("", True), ('op.execute("-- squawk-ignore ban-drop-column")', False)]
)
async def test_revision_may_read_rows_and_ignore_a_rule(
    server: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: str, *, is_found: bool
) -> None:
    more = f'{comment}\n    op.execute("ALTER TABLE seen DROP COLUMN name")'
    monkeypatch.setattr(test_migration_locks, "alembic_config", history(tmp_path, "", more))
    async with new_database(server) as url:
        sql = await sql_of_upgrade(url, "head")
    assert "SELECT 7" in sql
    assert ("ban-drop-column" in await lint(sql, "reading.sql")) is is_found
    assert "CREATE TABLE seen" in sql
