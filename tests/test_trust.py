"""A plain `copier copy` works: no trust, no question, few files."""

import re
import shutil
from pathlib import Path

import yaml

from plinth.harness.command import copier
from plinth.harness.project import GeneratedProject
from plinth.harness.source import VERSION

MOST_FILES = 110


def test_plain_copy(published: Path, tmp_path: Path) -> None:
    """The default service comes from a repository without `--trust`, and knows its version."""
    done = copier("copy", "--defaults", str(published), str(tmp_path / "service"))
    assert done.returncode == 0, done.stderr
    assert "trust" not in (done.stdout + done.stderr).lower()
    files = GeneratedProject(tmp_path / "service", {}).tree()
    assert 10 < len(files) <= MOST_FILES
    assert yaml.safe_load(files[".copier-answers.yml"])["_commit"] == VERSION


def test_nothing_that_runs_code(template: Path) -> None:
    """The settings for which Copier would ask trust stand nowhere."""
    sources = [template / "copier.yml", *template.glob("questions/*.yml")]
    for source in sources:
        text = source.read_text(encoding="utf-8")
        for setting in ("_tasks", "_migrations", "_jinja_extensions"):
            assert not re.search(rf"(?<!\w){setting}\b", text), f"{source.name}: {setting}"


def test_trust_would_be_noticed(template: Path, tmp_path: Path) -> None:
    """Were there a task, the same plain copy would fail."""
    unsafe = shutil.copytree(template, tmp_path / "template")
    with (unsafe / "copier.yml").open("a", encoding="utf-8") as settings:
        settings.write("---\n_tasks: ['true']\n")
    done = copier("copy", "--defaults", str(unsafe), str(tmp_path / "service"))
    assert done.returncode != 0
    assert "--trust" in done.stderr
