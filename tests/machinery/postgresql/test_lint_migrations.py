"""The linter of migrations, with this project's configuration."""

import subprocess

import pytest

from tests.conftest import PROJECT


def lint(sql: str) -> int:
    done = subprocess.run(["squawk"], input=sql, text=True, cwd=PROJECT, check=False)  # noqa: S607
    return done.returncode


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE items ALTER COLUMN name TYPE bigint;",
        "ALTER TABLE items ADD COLUMN size int NOT NULL;",
        "CREATE INDEX ix_items_name ON items (name);",
        "ALTER TABLE items ADD CONSTRAINT uq_items_name UNIQUE (name);",
    ],
)
def test_change_that_would_hold_up_the_service_is_found(sql: str) -> None:
    assert lint(sql) == 1


def test_harmless_change_passes() -> None:
    assert lint("ALTER TABLE items ADD COLUMN size varchar(10);") == 0
