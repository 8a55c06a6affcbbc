"""Run migrations: on the database that the settings name, or as SQL with `--sql`."""

import asyncio
import importlib
import pkgutil
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, TypeDecorator, pool
from sqlalchemy.ext.asyncio import create_async_engine

import app
from app.core.config import get_settings
from app.db.base import Base
from migrations.database import OPTIONS, lock


def import_models() -> None:
    """Import every module called `models`, so that their tables are known."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)


def render_item(kind: str, item: object, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write the type that a column has in the database, not the class that converts to it."""
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    plain = item.load_dialect_impl(autogenerate.dialect)
    package, _, name = type(plain).__module__.rpartition(".")[0].rpartition(".")
    if package != "sqlalchemy.dialects":
        return f"sa.{plain!r}"
    autogenerate.imports.add(f"from {package} import {name}")
    return f"{name}.{plain!r}"


def database_url() -> str:
    """The URL given by `-x url=…` or by the caller, else that of the settings."""
    given = context.config.attributes.get("url")
    return given or get_settings().database_url.get_secret_value()


def run_offline() -> None:
    """Write the SQL instead of running it."""
    context.configure(url=database_url(), target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection: Connection) -> None:
    """Migrate; whoever starts at the same time waits, then finds all done."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        **OPTIONS,
    )
    with context.begin_transaction():
        lock(connection)
        context.run_migrations()


async def run_online() -> None:
    """Connect and migrate."""
    engine = create_async_engine(database_url(), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run_on)
    await engine.dispose()


import_models()
if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
