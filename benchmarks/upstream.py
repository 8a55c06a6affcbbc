"""The template of a fleet: this checkout, with releases that change, add and delete files."""

import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path

from plinth.harness.command import git
from plinth.harness.releases import CHANGES
from plinth.harness.source import REPOSITORY, copy_template

RELEASES: Sequence[str] = ("v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0")
EXTRA = "src/app/core/clock.py"
PINS = "server: uvicorn\nlicense: [MIT, Apache-2.0]\ntype_checker: pyright\n"


def published(path: Path) -> Path:
    """Make the repository.

    v1.1.0 adds a module, v1.2.0 extends it, v1.3.0 deletes it and touches what owners edit.
    """
    copy_template(path)
    shutil.copy2(REPOSITORY / "CHANGELOG.md", path)
    git(path, "init", "--quiet")
    _release(path, RELEASES[0])
    extra = path / "template" / EXTRA
    extra.write_text('"""The time."""\n\nZONE = "UTC"\n', "utf-8")
    _release(path, RELEASES[1])
    extra.write_text('"""The time."""\n\nZONE = "UTC"\nSTEP = 1\n', "utf-8")
    _release(path, RELEASES[2])
    extra.unlink()
    for change in tomllib.loads(CHANGES.read_text("utf-8"))["change"]:
        file = path / change["path"]
        text = file.read_text("utf-8")
        file.write_text(text.replace(change["before"], change["after"]), "utf-8")
    _release(path, RELEASES[3])
    return path


def _release(path: Path, tag: str) -> None:
    git(path, "add", "--all", "--force")
    git(path, "commit", "--quiet", "--message", tag)
    git(path, "tag", tag)
