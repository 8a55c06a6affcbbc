"""Enumerated types change by revisions that autogenerate writes."""

# Depends on: migrations/env.py migrations/autogenerate.py migrations/script.py.mako
# Depends on: src/app/db/base.py

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import URL, Column, Enum, Integer, MetaData, NullPool, String, Table, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.types import TypeEngine

from app.db.base import Base
from tests.conftest import alembic_config
from tests.database import new_database


class History:
    """Revisions of one table in a folder of their own, and a database."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.config = alembic_config(url)
        self.config.toml_alembic_config["version_locations"] = [str(folder)]
        self.config.toml_alembic_config.pop("post_write_hooks", None)

    async def run(self, function: Any, *arguments: Any, **options: Any) -> None:
        """Run a command of Alembic."""
        await asyncio.to_thread(function, self.config, *arguments, **options)

    async def revise(self, kind: TypeEngine[Any], message: str) -> str:
        """Write the revision after which the column has this type; return its text."""
        Base.metadata = MetaData(naming_convention=Base.metadata.naming_convention)
        key = Column("id", Integer, primary_key=True)
        Table("paints", Base.metadata, key, Column("kind", kind))
        await self.run(command.revision, message, autogenerate=True)
        [written] = self.folder.glob(f"*_{message}.py")
        return written.read_text("utf-8")

    async def values(self, name: str) -> list[str]:
        """The values of a type in the database, in their order."""
        engine = create_async_engine(self.url, poolclass=NullPool)
        async with engine.connect() as connection:
            query = text(
                "SELECT enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid "
                "WHERE typname = :name ORDER BY enumsortorder"
            )
            return [*await connection.scalars(query, {"name": name})]


@pytest.fixture
async def history(server: URL, tmp_path: Path) -> AsyncIterator[History]:
    """No revision yet; the models of the service come back after the test."""
    kept = Base.metadata
    async with new_database(server) as url:
        yield History(url, tmp_path)
    Base.metadata = kept


@pytest.mark.parametrize("name", ["kind", "paintKind", "order"])
@pytest.mark.parametrize(
    "after",
    [
        ["old", "new", "it's", "x: y"],
        ["first", "zero", "old", "middle", "new"],
    ],
)
async def test_values_are_added_at_their_places(
    history: History, name: str, after: Sequence[str]
) -> None:
    await history.revise(Enum("old", "new", name=name), "before")
    await history.run(command.upgrade, "head")
    await history.revise(Enum(*after, name=name), "after")
    await history.run(command.upgrade, "head")
    await history.run(command.check)
    assert await history.values(name) == after
    # The values stay: PostgreSQL removes none.
    await history.run(command.downgrade, "-1")
    await history.run(command.upgrade, "head")
    await history.run(command.downgrade, "base")
    assert await history.values(name) == []


async def test_a_value_alone_is_a_revision(history: History) -> None:
    """As `make migration` asks for it."""
    await history.revise(Enum("old", name="kind"), "before")
    await history.run(command.upgrade, "head")
    history.config.cmd_opts = Namespace(autogenerate=True, x=None)
    assert "ADD VALUE" in await history.revise(Enum("old", "new", name="kind"), "after")


@pytest.mark.parametrize("to_enum", [True, False])
async def test_a_column_of_text_becomes_enumerated(history: History, *, to_enum: bool) -> None:
    """The type is created before it is used, and dropped afterwards, in both directions."""
    kinds = [String(9), Enum("old", "new", name="kind")]
    before, after = kinds if to_enum else reversed(kinds)
    await history.revise(before, "before")
    await history.run(command.upgrade, "head")
    upgrade, downgrade = (await history.revise(after, "after")).split("def downgrade")
    creates, drops = (upgrade, downgrade) if to_enum else (downgrade, upgrade)
    assert creates.index("CREATE TYPE kind") < creates.index("alter_column")
    assert drops.index("alter_column") < drops.index("DROP TYPE kind")
