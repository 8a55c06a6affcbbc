"""A release is one command, and one that cannot be made changes nothing."""

import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plinth.harness.command import git
from plinth.harness.project import clean_environment
from plinth.harness.source import REPOSITORY

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- News.

## [1.2.3] - 2026-01-01

### Added

- Old news.
"""
TEMPLATE = """
_subdirectory: template
preset: {type: str, choices: [minimal, standard, full, custom], default: standard}
generation: {type: int, ask: false, default: 1}
extensions:
  type: yaml
  when: false
  default: "none: false"
"""
FILES = {
    "CHANGELOG.md": CHANGELOG,
    "pyproject.toml": '[project]\nname = "plinth"\nversion = "1.2.3"\n\n[tool.x]\nversion = "9"\n',
    "copier.yml": TEMPLATE,
    "template/file.txt": "text\n",
    "tools/__init__.py": "",
    "tools/release.py": (REPOSITORY / "tools" / "release.py").read_text("utf-8"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a committed checkout with one release and something new."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Work")
    record = f'# Releases\n"1.2.3" = "{git(tmp_path, "rev-parse", "HEAD")}"\n'
    (tmp_path / "releases.toml").write_text(record, "utf-8")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Record")
    return tmp_path


def test_release(checkout: Path) -> None:
    """What was new stands under the version and its day; tag and record name that commit."""
    before = datetime.now(tz=UTC).date().isoformat()
    done = release(checkout, "1.10.0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "release: v1.10.0 is tagged; publish it by git push --follow-tags\n"
    changelog = (checkout / "CHANGELOG.md").read_text("utf-8")
    days = {before, datetime.now(tz=UTC).date().isoformat()}
    assert changelog in {
        CHANGELOG.replace("[Unreleased]\n", f"[Unreleased]\n\n## [1.10.0] - {day}\n")
        for day in days
    }
    assert '\nversion = "1.10.0"\n\n[tool.x]\nversion = "9"' in git(
        checkout, "show", "v1.10.0:pyproject.toml"
    )
    recorded = tomllib.loads((checkout / "releases.toml").read_text("utf-8"))
    assert [*recorded] == ["1.2.3", "1.10.0"]
    assert recorded["1.10.0"] == git(checkout, "rev-parse", "v1.10.0^{commit}")
    assert not git(checkout, "status", "--porcelain")


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("", "Name the version: make release VERSION=1.2.3"),
        ("v2.0.0", "Name the version: make release VERSION=1.2.3"),
        ("1.2.3", "1.2.3 is not newer than 1.2.3."),
        ("1.2.2", "1.2.2 is not newer than 1.2.3."),
    ],
)
def test_refused_version(checkout: Path, version: str, sentence: str) -> None:
    """A version that is none, or not newer, is refused in one sentence."""
    done = release(checkout, version)
    assert (done.returncode, done.stderr) == (1, f"{sentence}\n")
    assert_nothing_happened(checkout)


def test_nothing_new(checkout: Path) -> None:
    """A release that brings nothing is refused."""
    text = CHANGELOG.replace("### Added\n\n- News.\n\n", "", 1)
    (checkout / "CHANGELOG.md").write_text(text, "utf-8")
    git(checkout, "commit", "--quiet", "--all", "--message", "Nothing new")
    done = release(checkout, "1.3.0")
    assert done.returncode == 1
    assert done.stderr.startswith("CHANGELOG.md has nothing under [Unreleased]")
    assert_nothing_happened(checkout)


def test_uncommitted_change(checkout: Path) -> None:
    """What is not committed would not be in the release."""
    (checkout / "note").touch()
    done = release(checkout, "1.3.0")
    assert done.returncode == 1
    assert done.stderr.startswith("Commit or stash your changes first")


def test_what_would_break_updates(checkout: Path) -> None:
    """It is refused; tests/test_releasing.py has what is."""
    (checkout / "template/file.txt").rename(checkout / "template/moved.txt")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "Move a file")
    done = release(checkout, "1.3.0")
    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "file.txt is gone")
    assert_nothing_happened(checkout)


def test_a_last_release_that_is_not_here(checkout: Path) -> None:
    """As in a shallow clone."""
    (checkout / "releases.toml").write_text('"1.2.3" = "0123456789"\n', "utf-8")
    git(checkout, "commit", "--quiet", "--all", "--message", "Record")
    done = release(checkout, "1.3.0")
    sentence = "Commit 0123456789 of the last release is not here: git fetch --unshallow\n"
    assert (done.returncode, done.stderr) == (1, sentence)
    assert_nothing_happened(checkout)


def test_releases_are_recorded() -> None:
    """Each version of the changelog is in releases.toml, and the other way round."""
    recorded = tomllib.loads((REPOSITORY / "releases.toml").read_text("utf-8"))
    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8").splitlines()
    described = [line[4 : line.index("]")] for line in changelog if line.startswith("## [")]
    assert described == ["Unreleased", *reversed(recorded)]


def assert_nothing_happened(checkout: Path) -> None:
    """Assert that neither a file nor the history changed."""
    assert not git(checkout, "status", "--porcelain")
    assert not git(checkout, "tag")
    assert "Release" not in git(checkout, "log", "--format=%s")


def release(checkout: Path, version: str) -> "subprocess.CompletedProcess[str]":
    """Run what `make release` runs."""
    return subprocess.run(
        [sys.executable, "-m", "tools.release", version],
        cwd=checkout,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
