"""Look for locks and rewrites in the SQL of each revision: part of `make check`.

squawk says what to do instead; where it is wrong, op.execute("-- squawk-ignore RULE") before the
statement says so. See https://squawkhq.com/docs/rules.
"""

import io
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

PROJECT = Path(__file__).parent.parent


def main() -> None:
    """Lint every revision."""
    config = Config(PROJECT / "alembic.ini")
    found = ScriptDirectory.from_config(config).walk_revisions()
    revisions = [revision for revision in found if not revision.is_merge_point]
    with TemporaryDirectory() as folder:
        files = [write(revision, Path(folder)) for revision in revisions]
        squawk = ["squawk", "--config", str(PROJECT / ".squawk.toml"), *map(str, files)]
        if files and subprocess.run(squawk, cwd=PROJECT, check=False).returncode:
            sys.exit("A revision would hold up the service while it runs: see above.")
    print(f"Revisions: {len(revisions)}; none locks or rewrites what is in use.")


def write(revision: Script, folder: Path) -> Path:
    """Write the SQL of one revision, and return its file."""
    file = folder / f"{Path(revision.path).stem}.sql"
    sql = io.StringIO()
    config = Config(PROJECT / "alembic.ini", output_buffer=sql)
    config.attributes["url"] = "postgresql://"
    before = revision.down_revision or "base"
    command.upgrade(config, f"{before}:{revision.revision}", sql=True)
    file.write_text(sql.getvalue(), "utf-8")
    return file


if __name__ == "__main__":
    main()
