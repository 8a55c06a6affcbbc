"""The launcher, whose default database is a file."""

# Depends on: tools/run.py tests/machinery/always/launcher.py

from pathlib import Path

from tests.conftest import PROJECT
from tests.machinery.always.launcher import create_project, launch


def test_database_of_development_is_an_ignored_file_in_the_project(tmp_path: Path) -> None:
    project = create_project(tmp_path)
    done = launch(project, ["printenv", "APP_DATABASE_URL"], APP_DATABASE_URL="")
    assert done.stdout == f"sqlite+aiosqlite:///{project.resolve() / 'app.db'}\n", done.stderr
    assert "app.db*" in (PROJECT / ".gitignore").read_text().splitlines()
