"""The launcher, which has no embedded MySQL to start."""

# Depends on: tools/run.py tests/machinery/always/launcher.py

from pathlib import Path

from tests.machinery.always.launcher import create_project, launch


def test_launcher_without_a_url_says_what_to_set(tmp_path: Path) -> None:
    done = launch(create_project(tmp_path), ["echo", "it runs"], APP_DATABASE_URL="")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Set APP_DATABASE_URL")
    assert done.stderr.count("\n") == 1
