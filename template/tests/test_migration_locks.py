"""Migrations: none locks or rewrites a table that is in use."""

import asyncio
import re

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine
from sqlalchemy.event import listen, remove

from tests.conftest import alembic_config
from tests.database import new_database

# Rules of style are left out, and that of a time limit: to build an index may take long. What
# remains finds locks and rewrites of tables in use.
SQUAWK = (
    "--pg-version=18.0",
    "--exclude=prefer-bigint-over-int,prefer-identity,prefer-robust-stmts,prefer-text-field",
    "--exclude=require-statement-timeout",
)


async def lint(sql: str, name: str) -> str:
    """What squawk finds, which knows what SQL locks; see https://squawkhq.com/docs/rules."""
    process = await asyncio.create_subprocess_exec(
        *("squawk", *SQUAWK, f"--stdin-filepath={name}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(sql.encode())
    return output.decode() if process.returncode else ""


async def sql_of_upgrade(url: URL, revision: str) -> str:
    """Upgrade to a revision, and return what it executed: all statements without parameters.

    `--sql` would not do: a revision may read rows.
    """
    statements: list[str] = []

    def remember(*event: object) -> None:
        _connection, _cursor, statement, parameters, *_ = event
        if not parameters:
            sql = str(statement)
            # A comment takes the whole line, and is about the next statement.
            statements.append(sql if sql.startswith("--") else f"{sql};")

    listen(Engine, "before_cursor_execute", remember)
    try:
        await asyncio.to_thread(command.upgrade, alembic_config(url), revision)
    finally:
        remove(Engine, "before_cursor_execute", remember)
    # PostgreSQL has refused to do something concurrently within a transaction.
    apart = [f"COMMIT;\n{sql}\nBEGIN;" if " CONCURRENTLY " in sql else sql for sql in statements]
    return "\n".join(["BEGIN;", *apart, "COMMIT;"])


def can_be_repeated(sql: str) -> bool:
    """Whether a revision that waits too long for a lock leaves nothing behind.

    What it did concurrently stays, so that nothing else may be in this revision.
    """
    kinds = "ALTER|CREATE|DELETE|DROP|INSERT|UPDATE"
    changes = re.findall(rf"(?m)^(?:{kinds}) (?!.*\balembic_version\b).*", sql)
    concurrent = [" CONCURRENTLY " in change for change in changes]
    return all(concurrent) or not any(concurrent)


async def test_no_revision_locks_or_rewrites_a_table_in_use(server: URL) -> None:
    """Where squawk is wrong, op.execute("-- squawk-ignore RULE") before a statement says so."""
    async with new_database(server) as url:
        revisions = ScriptDirectory.from_config(alembic_config(url)).walk_revisions()
        for revision in reversed([*revisions]):
            sql = await sql_of_upgrade(url, revision.revision)
            assert not await lint(sql, f"{revision.revision}.sql")
            assert can_be_repeated(sql), "Do what is CONCURRENTLY done in a revision of its own."
