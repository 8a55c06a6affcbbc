"""A checkout of a service that was generated from a template."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from plinth import git
from plinth.errors import StoppedError

ANSWERS = ".copier-answers.yml"


@dataclass(frozen=True)
class Service:
    """A service in a Git repository: in its root, or in a folder of it."""

    folder: Path
    answers_file: str = ANSWERS

    @classmethod
    def found(cls, folder: Path, answers_file: str = "") -> "Service":
        """Return the service in a folder. Raises StoppedError where there is none."""
        folder = folder.resolve()
        if not folder.is_dir():
            raise StoppedError(f"{folder} is not a folder.")
        name = answers_file or ANSWERS
        if not (folder / name).is_file():
            others = sorted(path.name for path in folder.glob(".copier-answers*.yml"))
            hint = f" Choose one by --answers-file: {', '.join(others)}." if others else ""
            raise StoppedError(f"There is no {name} in {folder}.{hint}")
        service = cls(folder, name)
        if "_commit" not in service.answers or "_src_path" not in service.answers:
            raise StoppedError(
                f"{name} names no release: the template was not a Git repository when it was "
                "copied. Copy it again from its repository, with --data-file."
            )
        return service

    @functools.cached_property
    def answers(self) -> Mapping[str, object]:
        """The recorded answers, the template's address and release among them.

        Raises StoppedError where the file is not readable as such.
        """
        return read_answers(self.folder / self.answers_file)

    @property
    def release(self) -> str:
        """The template's release from which the service was rendered last."""
        return str(self.answers["_commit"])

    @property
    def address(self) -> str:
        """Where the template is, as Copier recorded it."""
        return str(self.answers["_src_path"])

    def require_repository(self) -> None:
        """Raise StoppedError unless it is in a Git repository that has commits."""
        try:
            inside = git.text(self.folder, "rev-parse", "--is-inside-work-tree")
        except (StoppedError, FileNotFoundError):
            inside = "false"
        if inside != "true":
            raise StoppedError(
                f"{self.folder} is not in a Git repository: run git init, commit, and try again."
            )
        try:
            git.run(self.folder, "rev-parse", "--verify", "--quiet", "HEAD")
        except StoppedError:
            raise StoppedError("Nothing is committed yet: commit first, and try again.") from None

    def require_clean(self) -> None:
        """Raise StoppedError unless all is committed."""
        if files := git.changes(self.folder, "."):
            raise StoppedError(f"Commit or stash your changes first:{files}")

    def is_clean(self) -> bool:
        """Whether all that is in its folder is committed."""
        return not git.changes(self.folder, ".")

    def git_path(self, name: str) -> Path:
        """Return a path in the repository's own folder; each work tree has its own."""
        return (self.folder / git.text(self.folder, "rev-parse", "--git-path", name)).resolve()


def read_answers(file: Path) -> Mapping[str, object]:
    """Read a file of answers. Raises StoppedError where it is not one."""
    try:
        answers: object = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = str(error).splitlines()[-1].strip()
        raise StoppedError(f"{file.name} cannot be read: {where}.") from error
    if not isinstance(answers, dict):
        raise StoppedError(f"{file.name} is not a file of answers.")
    return {str(name): value for name, value in answers.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
