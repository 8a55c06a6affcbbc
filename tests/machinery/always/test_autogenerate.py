"""What autogenerate writes for everyday models can be applied, taken back, and applied again.

`MODELS=200` tries that many pairs of models.
"""

# Depends on: migrations/env.py migrations/autogenerate.py migrations/script.py.mako
# Depends on: src/app/db/base.py
# On every change, once for: database orm

import asyncio
import os
import tempfile
from dataclasses import dataclass
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, MetaData
from sqlalchemy.orm import DeclarativeBase, registry

from app.db.base import Base
from tests.conftest import alembic_config
from tests.database import new_database
from tests.test_migrations import schema_of

MODELS = int(os.environ.get("MODELS", "0"))
SQLMODEL = hasattr(Base, "model_fields")
PRELUDE = """
import enum
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from sqlalchemy import (
    ARRAY, JSON, BigInteger, Column, Enum, ForeignKey, LargeBinary, Numeric, String, Text,
    TypeDecorator
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column
try:
    from sqlmodel import Field
except ImportError:
    pass
from app.db.base import CreatedAt, Identifier, UpdatedAt

class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue: dark"

class Code(TypeDecorator[str]):
    impl = String(12)
    cache_ok = True

class Document(TypeDecorator[dict]):
    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect):
        kind = postgresql.JSONB() if dialect.name == "postgresql" else JSON()
        return dialect.type_descriptor(kind)
"""
# Of each kind the annotation, and the type where the annotation does not decide.
KINDS = {
    "flag": ("bool", ""),
    "count": ("int", ""),
    "big": ("int", "BigInteger"),
    "ratio": ("float", ""),
    "price": ("Decimal", "Numeric(10, 2)"),
    "day": ("date", ""),
    "clock": ("time", ""),
    "moment": ("datetime", ""),
    "length": ("timedelta", ""),
    "key": ("UUID", ""),
    "name": ("str", "String(20)"),
    "initial": ("str", "String(2)"),
    "code": ("str", "Code"),
    "colour": ("Colour", ""),
    "text": ("str", "Text"),
    "data": ("bytes", "LargeBinary"),
    "json": ("dict", "JSON"),
    "document": ("dict", "Document"),
}
POSTGRESQL = {"tags": ("list", "ARRAY(String(9))"), "binary": ("dict", "postgresql.JSONB")}
# No index can be made of these, on one database or another.
UNINDEXED = {"text", "data", "json", "document", "tags", "binary"}


@dataclass(frozen=True)
class Own:
    """A column: of a kind, or with `to` a foreign key."""

    kind: str
    to: str = ""
    nullable: bool = False
    index: str = ""

    @property
    def name(self) -> str:
        """The name of the column."""
        return f"{self.to}_id" if self.to else f"its_{self.kind}"

    def written(self) -> str:
        """The line of a model."""
        annotation, kind = {**KINDS, **POSTGRESQL}.get(self.kind, ("UUID", ""))
        annotation += " | None" if self.nullable else ""
        index = f"{self.index}=True" if self.index and self.kind not in UNINDEXED else ""
        if SQLMODEL:
            key = f'foreign_key="{self.to}.id"' if self.to else ""
            kind = kind and f"sa_type={kind}"
            arguments = ", ".join(filter(None, (key, kind, index)))
            return f"    {self.name}: {annotation} = Field({arguments})"
        key = f'ForeignKey("{self.to}.id")' if self.to else kind
        arguments = ", ".join(filter(None, (key, index)))
        return f"    {self.name}: Mapped[{annotation}] = mapped_column({arguments})"


Models = dict[str, list[Own]]
TABLES = ("alpha", "beta", "gamma", "delta")


def models(database: str) -> st.SearchStrategy[Models]:
    """Up to four tables with columns of all kinds, and foreign keys among them, circles too."""
    kinds = {**KINDS, **(POSTGRESQL if database == "postgresql" else {})}
    column = st.builds(
        Own,
        kind=st.sampled_from(sorted(kinds)),
        nullable=st.booleans(),
        index=st.sampled_from(["", "", "index", "unique"]),
    )

    @st.composite
    def drawn(draw: st.DrawFn) -> Models:
        names = draw(st.lists(st.sampled_from(TABLES), unique=True, max_size=4))
        found: Models = {}
        for name in names:
            columns = draw(st.lists(column, max_size=5, unique_by=lambda one: one.kind))
            targets = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
            options = draw(st.lists(column, min_size=len(targets), max_size=len(targets)))
            keys = [
                Own("", to, one.nullable, one.index)
                for to, one in zip(targets, options, strict=True)
            ]
            found[name] = columns + keys
        return found

    return drawn()


def metadata_of(models: Models) -> MetaData:
    """Make classes of models, written as a user of this project writes them."""
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    if SQLMODEL:
        name, table = "table_name", ", table=True"
        made = type(Base)(
            "Own", (Base,), {"__module__": __name__}, registry=registry(metadata=metadata)
        )
    else:
        name, table = "__tablename__", ""
        attributes = {
            "metadata": metadata,
            "type_annotation_map": Base.registry.type_annotation_map,
        }
        made = type("Own", (DeclarativeBase,), attributes)
    lines = [PRELUDE]
    for number, (model, columns) in enumerate(models.items()):
        identifier, created = "Mapped[Identifier]", "Mapped[CreatedAt]"
        if SQLMODEL:
            identifier, created = "Identifier", "CreatedAt"
        lines += [f"class Model{number}(Own{table}):", f'    {name} = "{model}"']
        lines += [f"    id: {identifier}", f"    created_at: {created}"]
        lines += [column.written() for column in columns]
    namespace = {"Own": made, "__name__": __name__}
    exec("\n".join(lines), namespace)  # noqa: S102 - what this test wrote
    return metadata


def revise(config: Config, models: Models, message: str) -> None:
    """Write a revision for models."""
    Base.metadata = metadata_of(models)
    command.revision(config, message, autogenerate=True)


async def walk(server: URL, before: Models, after: Models) -> None:
    """Go from nothing to `before` to `after`, back and forth."""

    async def run(function: Any, *arguments: Any) -> Any:
        return await asyncio.to_thread(function, config, *arguments)

    with tempfile.TemporaryDirectory() as folder:
        async with new_database(server) as url:
            config = alembic_config(url)
            config.toml_alembic_config["version_locations"] = [folder]
            config.toml_alembic_config.pop("post_write_hooks", None)
            schemas = []
            for wanted, message in ((before, "before"), (after, "after")):
                await run(revise, wanted, message)
                await run(command.upgrade, "head")
                await run(command.check)
                schemas.append(await schema_of(url))
            await run(command.downgrade, "-1")
            assert await schema_of(url) == schemas[0]
            await run(command.downgrade, "base")
            assert all(line.startswith("alembic_version: ") for line in await schema_of(url))
            await run(command.upgrade, "head")
            await run(command.check)
            assert await schema_of(url) == schemas[1]


EMPTY: Models = {}
KEY = Own("", "beta")
CIRCLE = {"alpha": [KEY], "beta": [Own("", "alpha", nullable=True)]}
CHAIN = {"alpha": [KEY], "beta": [Own("", "gamma", index="index")], "gamma": []}


@pytest.fixture
def metadata() -> Any:
    """The models of the service come back after the test."""
    kept = Base.metadata
    yield kept
    Base.metadata = kept


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CHAIN, EMPTY),
        (CHAIN, {"alpha": []}),
        (CIRCLE, EMPTY),
        (EMPTY, CIRCLE),
        ({"alpha": [Own("", "beta", index="index")], "beta": []}, {"alpha": [KEY], "beta": []}),
        ({"alpha": [Own("", "beta", index="unique")], "beta": []}, {"alpha": [KEY], "beta": []}),
        ({"alpha": [KEY], "beta": []}, {"alpha": [Own("", "beta", index="index")], "beta": []}),
        ({"alpha": [KEY], "beta": []}, {"alpha": [Own("", "beta", index="unique")], "beta": []}),
        ({"alpha": [Own("colour")]}, {"alpha": [], "beta": [Own("colour")]}),
        ({"alpha": [Own("colour")], "beta": [Own("colour")]}, EMPTY),
        ({"alpha": []}, {"alpha": [Own("colour")]}),
        ({"alpha": [Own(kind) for kind in KINDS]}, {"alpha": []}),
    ],
)
@pytest.mark.usefixtures("metadata")
async def test_models_known_for_trouble(server: URL, before: Models, after: Models) -> None:
    await walk(server, before, after)


@pytest.mark.usefixtures("metadata")
def test_everyday_models(server: URL) -> None:
    found = models(server.get_backend_name())

    @settings(
        max_examples=MODELS or 5,
        derandomize=not MODELS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(before=found, after=found)
    def follow(before: Models, after: Models) -> None:
        asyncio.run(walk(server, before, after))

    follow()
