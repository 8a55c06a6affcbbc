"""Databases of generated projects whose server does not come with them."""

import contextlib
from collections.abc import Generator, Mapping
from uuid import uuid4

from plinth.harness.project import GeneratedProject

# Runs in a project whose database's server has to be there.
EXECUTE = """
import asyncio, os, sys
from sqlalchemy.ext.asyncio import create_async_engine
async def main():
    engine = create_async_engine(os.environ["APP_DATABASE_URL"])
    async with engine.connect() as connection:
        await connection.exec_driver_sql(sys.argv[1])
    await engine.dispose()
asyncio.run(main())
"""


@contextlib.contextmanager
def own_database(project: GeneratedProject) -> Generator[Mapping[str, str]]:
    """Make a database to serve from where the project's server has to be there already.

    Yields the variables that name it, none for a project that brings its own server.
    """
    server = project.variables.get("APP_DATABASE_URL")
    if server is None:
        yield {}
        return
    name = f"installed_{uuid4().hex}"
    execute = ("uv", "run", "python", "-c", EXECUTE)
    project.run(*execute, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield {"APP_DATABASE_URL": f"{server.rpartition('/')[0]}/{name}"}
    finally:
        project.run(*execute, f"DROP DATABASE {name}")
