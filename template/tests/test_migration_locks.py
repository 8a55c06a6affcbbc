"""Migrations are harmless to a table in use."""

import subprocess
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import URL

from tests.conftest import alembic_config, sql_of

# Rules of style are left out; what remains finds locks and rewrites of tables in use.
SQUAWK = [
    "squawk",
    "--pg-version=18.0",
    "--exclude=prefer-bigint-over-int,prefer-identity,prefer-robust-stmts,prefer-text-field",
    "--exclude=require-timeout-settings",
]


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run squawk, which knows what SQL locks; see https://squawkhq.com/docs/rules."""
    return subprocess.run([*SQUAWK, *files], capture_output=True, text=True, check=False)


async def test_no_revision_locks_or_rewrites_a_table_in_use(server: URL, tmp_path: Path) -> None:
    """Where squawk is wrong, op.execute("-- squawk-ignore RULE") before a statement says so."""
    files: list[Path] = []
    for revision in ScriptDirectory.from_config(alembic_config(server)).walk_revisions():
        if not revision.is_merge_point:
            file = tmp_path / f"{revision.revision}.sql"
            before = revision.down_revision or "base"
            file.write_text(await sql_of(server, f"{before}:{revision.revision}"), "utf-8")
            files.append(file)
    if files:
        done = lint(*files)
        assert done.returncode == 0, done.stdout + done.stderr
