"""A repository in which each release is tagged, and two releases that may follow."""

import hashlib
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.command import git
from plinth.harness.locks import exclusively
from plinth.harness.source import PARTS, REPOSITORY, copy_template

# What may come: this checkout as a release, and after it one that touches what users edit.
CURRENT = "v99.0.0"
SYNTHETIC = "v99.1.0"

# What `make update` in a project reads and runs besides the template's own files.
COMPANION = ("CHANGELOG.md", "README.md", "moves.toml", "notices.toml", "pyproject.toml", "src")

MADE = REPOSITORY / "build" / "releases"
CHANGES = Path(__file__).with_name("synthetic.toml")


@dataclass(frozen=True)
class Releases:
    """A repository of the template in which each release carries its tag."""

    path: Path
    tags: tuple[str, ...]

    @classmethod
    def shared(cls) -> "Releases":
        """Return the repository for the releases and this checkout; it is made once.

        Beside it there is room for what is made of it. Raises ValueError as `tagged` does.
        """
        content = content_digest()
        place = MADE / content[:16]
        repository = place / "template"
        with exclusively(MADE.with_suffix(".lock")):
            if not (place / "complete").exists():
                shutil.rmtree(MADE, ignore_errors=True)  # of another content
                made = cls.tagged(repository)
                (place / "complete").touch()
                return made
        return cls(repository, (*(f"v{version}" for version in recorded_releases()), CURRENT))

    @classmethod
    def tagged(cls, into: Path) -> "Releases":
        """Clone this repository, tag what releases.toml says, and add the two that may come.

        Raises ValueError where a commit is missing, as in a shallow clone, or where a change of the
        synthetic release finds no place.
        """
        git(REPOSITORY, "clone", "--quiet", "--no-checkout", str(REPOSITORY), str(into))
        released = recorded_releases()
        for version, commit in released.items():
            if subprocess.run(
                ["git", "cat-file", "-e", commit], cwd=into, check=False, capture_output=True
            ).returncode:
                raise ValueError(
                    f"Release {version}, commit {commit}, is not here: git fetch --unshallow"
                )
            git(into, "tag", "--force", f"v{version}", commit)
        git(into, "checkout", "--quiet", "--detach", "HEAD")
        _commit_checkout(into)
        git(into, "tag", CURRENT)
        for change in tomllib.loads(CHANGES.read_text("utf-8"))["change"]:
            file, before = into / change["path"], change["before"]
            text = file.read_text("utf-8")
            if text.count(before) != 1:
                raise ValueError(f"{file} has {text.count(before)} times, not once: {before}")
            file.write_text(text.replace(before, change["after"]), "utf-8")
        git(into, "commit", "--quiet", "--all", "--message", "The synthetic release")
        git(into, "tag", SYNTHETIC)
        return cls(into, (*(f"v{version}" for version in released), CURRENT))


def content_digest() -> str:
    """Return what tells this checkout, and its releases, from others."""
    found = hashlib.sha256(CHANGES.read_bytes() + (REPOSITORY / "releases.toml").read_bytes())
    for name in (*PARTS, *COMPANION):
        given = REPOSITORY / name
        for file in sorted(given.rglob("*")) if given.is_dir() else [given]:
            if file.is_file() and "__pycache__" not in file.parts:
                path = file.relative_to(REPOSITORY).as_posix()
                found.update(f"{path}\n".encode() + file.read_bytes())
    return found.hexdigest()


def recorded_releases() -> Mapping[str, str]:
    """Each released version with its commit, oldest first."""
    return tomllib.loads((REPOSITORY / "releases.toml").read_text("utf-8"))


def _commit_checkout(clone: Path) -> None:
    """Commit the state of this checkout, uncommitted changes included."""
    for entry in clone.iterdir():
        if entry.is_dir() and entry.name != ".git":
            shutil.rmtree(entry)
        elif entry.name != ".git":
            entry.unlink()
    template = clone.with_name(f"{clone.name}-checkout")
    shutil.copytree(copy_template(template), clone, dirs_exist_ok=True)
    for name in COMPANION:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, clone)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "This checkout")
