"""Make a release: `make release VERSION=0.2.0`.

Compares the template with the last release, and refuses what would break the update of a service.
Then moves what CHANGELOG.md calls unreleased under the version, commits that, tags the commit, and
records it in releases.toml, from which the tests of updates tag their own clones.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from plinth import template
from plinth.changelog import Changelog
from plinth.harness.releasing import Sides
from plinth.harness.source import isolated

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = ROOT / "CHANGELOG.md"
PYPROJECT = ROOT / "pyproject.toml"
RELEASES = ROOT / "releases.toml"
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class ReleaseError(SystemExit):
    """The release cannot be made; nothing has changed."""


def main() -> None:
    """Release what is committed under the version of the command line."""
    version = sys.argv[1] if len(sys.argv) > 1 else ""
    if git("status", "--porcelain"):
        raise ReleaseError("Commit or stash your changes first: a release is made of a clean tree.")
    changelog, project = CHANGELOG.read_text("utf-8"), PYPROJECT.read_text("utf-8")
    recorded = RELEASES.read_text("utf-8")
    today = datetime.now(tz=UTC).date().isoformat()
    new_changelog = released_changelog(changelog, version, today)
    if problems := breaking(recorded):
        raise ReleaseError("\n".join(problems))
    CHANGELOG.write_text(new_changelog, "utf-8")
    PYPROJECT.write_text(with_version(project, version), "utf-8")
    git("commit", "--quiet", "--all", "--message", f"Release {version}")
    git("tag", "--annotate", "--message", f"Release {version}", f"v{version}")
    RELEASES.write_text(f'{recorded}"{version}" = "{git("rev-parse", "HEAD")}"\n', "utf-8")
    git("commit", "--quiet", "--all", "--message", f"Record release {version}")
    sys.stdout.write(f"release: v{version} is tagged; publish it by git push --follow-tags\n")


def breaking(recorded: str) -> list[str]:
    """Return what would break the update of services from the last release, if there is one."""
    releases = [*tomllib.loads(recorded).values()]
    if not releases:
        return []
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        before, after = Path(folder) / "before", Path(folder) / "after"
        for place, commit in ((before, releases[-1]), (after, "HEAD")):
            git("clone", "--quiet", "--no-checkout", str(ROOT), str(place))
            try:
                git("-C", str(place), "checkout", "--quiet", "--detach", commit)
            except subprocess.CalledProcessError as error:
                raise ReleaseError(
                    f"Commit {commit} of the last release is not here: git fetch --unshallow"
                ) from error
            shutil.rmtree(place / ".git")  # Copier would clone it once more
        return [*Sides(before, after).problems()]


def released_changelog(changelog: str, version: str, date: str) -> str:
    """Return the changelog with what was unreleased under `version`.

    Raises ReleaseError where the version is none, is not newer, or where nothing is unreleased.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseError("Name the version: make release VERSION=1.2.3")
    found = Changelog.read(changelog)
    if not found.unreleased:
        raise ReleaseError("CHANGELOG.md has nothing under [Unreleased]: say what a project gets.")
    newest = VERSION.search(found.newest)
    if newest and template.version(version) <= template.version(newest[0]):
        raise ReleaseError(f"{version} is not newer than {newest[0]}.")
    return str(found.released(version, date))


def with_version(pyproject: str, version: str) -> str:
    """Return the text of pyproject.toml with this version."""
    return re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', pyproject, count=1)


def git(*arguments: str) -> str:
    """Run git in this repository; return what it prints."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
