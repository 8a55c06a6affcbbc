"""Problems that are seeded into services, each with the rule that finds it."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.upstream import EXTRA, RELEASES
from plinth.harness.command import git


@dataclass(frozen=True)
class Seed:
    """A problem."""

    rule: str
    sow: Callable[[Path], None] | None = None
    file: str = ""
    """The file that the finding names."""
    release: str = RELEASES[2]
    answers: Mapping[str, object] = field(default_factory=dict[str, object])
    commits: bool = True
    owner_edits: bool = True
    """Whether the service has its owner's usual edits besides."""


def sown(seed: Seed, path: Path) -> None:
    """Seed a problem."""
    if seed.sow:
        seed.sow(path)


def replacing(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Return what changes a text of a file. It raises ValueError where there is none."""

    def sow(path: Path) -> None:
        text = (path / name).read_text("utf-8")
        if old not in text:
            raise ValueError(f"{name} has no {old!r}")
        (path / name).write_text(text.replace(old, new, 1), "utf-8")

    return sow


def writing(name: str, text: str) -> Callable[[Path], None]:
    """Return what writes a file."""

    def sow(path: Path) -> None:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, "utf-8")

    return sow


def deleting(name: str) -> Callable[[Path], None]:
    """Return what deletes a file."""
    return lambda path: (path / name).unlink()


def _unfinished(path: Path) -> None:
    writing(".git/plinth-update.json", "{}")(path)


def _without_repository(path: Path) -> None:
    shutil.rmtree(path / ".git")


def _staged(path: Path) -> None:
    writing("staged.py", "STAGED = True\n")(path)
    git(path, "add", "staged.py")


ANSWERS = ".copier-answers.yml"
ROUTE = "src/app/core/health.py"
MARKERS = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"
SEEDS: Sequence[Seed] = (
    Seed("PF001", release=RELEASES[0]),
    Seed("PF001", release=RELEASES[0], answers={"database": "sqlite"}),
    Seed("PF001", release=RELEASES[0], answers={"auth": "none"}),
    Seed("PF002", answers={"server": "granian"}),
    Seed("PF002", answers={"license": "proprietary"}),
    Seed("PF002", answers={"type_checker": "mypy"}),
    Seed("PF002", answers={"type_checker": "ty"}),
    Seed("PF003", replacing("Makefile", "uv run", "uv run --frozen"), "Makefile"),
    Seed("PF003", writing("src/app/core/errors.py", '"""Own."""\n'), "src/app/core/errors.py"),
    Seed("PF004", deleting(".gitattributes"), ".gitattributes"),
    Seed("PF004", deleting("AGENTS.md"), "AGENTS.md"),
    Seed("PF005", replacing("README.md", "## How it is built", "## Own"), "README.md"),
    Seed("PF005", replacing("AGENTS.md", "- `make run` serves", "- Own"), "AGENTS.md"),
    Seed(
        "PF005", replacing("pyproject.toml", '"alembic>=1.18"', '"alembic>=1.19"'), "pyproject.toml"
    ),
    Seed("PF006", replacing(EXTRA, "UTC", "CET"), EXTRA),
    Seed("PF006", writing("src/app/own.py", "from app.core.clock import ZONE\n"), "src/app/own.py"),
    Seed("PF007", writing("docs/notes.md", MARKERS), "docs/notes.md"),
    Seed("PF007", writing("src/app/half.txt", MARKERS), "src/app/half.txt"),
    Seed("PF008", _unfinished),
    Seed("PF009", writing("notes.txt", "To do.\n"), commits=False, owner_edits=False),
    Seed("PF009", _staged, commits=False, owner_edits=False),
    Seed("PF010", replacing(ANSWERS, "_commit: v1.2.0", "_commit: v0.9.9")),
    Seed("PF011", replacing(ANSWERS, "database_driver: psycopg", "database_driver: aiosqlite")),
    Seed("PF012", writing(ANSWERS, "<<<<<<< this service\n_commit: v1.2.0\n")),
    Seed("PF012", _without_repository, commits=False, owner_edits=False),
)
