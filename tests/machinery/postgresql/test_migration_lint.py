"""The linter of migrations finds what blocks a table in use, and nothing else."""

from pathlib import Path

import pytest

from tests.test_migration_locks import lint


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE items ALTER COLUMN name TYPE bigint;",
        "ALTER TABLE items ADD COLUMN size int NOT NULL;",
        "CREATE INDEX ix_items_name ON items (name);",
        "ALTER TABLE items ADD CONSTRAINT uq_items_name UNIQUE (name);",
    ],
)
def test_change_that_blocks_a_table_is_found(sql: str, tmp_path: Path) -> None:
    file = tmp_path / "revision.sql"
    file.write_text(sql, "utf-8")
    done = lint(file)
    assert done.returncode == 1
    assert file.name in done.stdout + done.stderr


def test_harmless_change_passes(tmp_path: Path) -> None:
    file = tmp_path / "revision.sql"
    file.write_text("ALTER TABLE items ADD COLUMN size varchar(10);", "utf-8")
    assert lint(file).returncode == 0
