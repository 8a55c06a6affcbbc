"""Copies of this checkout's template, which tests can change without harm."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PARTS = (
    "copier.yml",
    "questions",
    "extensions",
    "template",
    "tests/machinery",
    ".gitattributes",
    "organisation",
    "upstream",
)
# The tag that a published copy gets.
VERSION = "v0.0.1"


def copy_template(into: Path, checkout: Path = REPOSITORY) -> Path:
    """Copy what Copier reads, uncommitted changes included, into a plain folder.

    A plain folder renders faster than a repository, which Copier clones for every copy.
    """
    litter = shutil.ignore_patterns("__pycache__", "*.py[co]", ".venv", ".*_cache")
    into.mkdir(parents=True)
    for name in PARTS:
        source = checkout / name
        if not source.exists():
            continue  # not every template has all of them
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=litter)
        else:
            shutil.copy2(source, into / name)
    return into


def publish_template(into: Path) -> Path:
    """Copy the template into a Git repository with one tag, as a user would find it."""
    copy_template(into)
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "The template"],
        ["tag", VERSION],
    ):
        subprocess.run(["git", *command], cwd=into, check=True)
    return into


@contextmanager
def isolated(scratch: Path) -> Generator[None]:
    """Isolate this process from the user's Copier settings and the service's variables."""
    settings = scratch / "settings.yml"
    settings.write_text("{}\n", encoding="utf-8")
    before = {**os.environ}
    for name in [n for n in os.environ if n.startswith("APP_")]:
        del os.environ[name]
    os.environ["COPIER_SETTINGS_PATH"] = str(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
