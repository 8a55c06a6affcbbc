"""Typical edits by the owner of a service, applied and verified mechanically."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Insertion:
    """Text that a user adds to a file: before a line, at the end, or as a new file."""

    path: str
    text: str
    before: str | None = None
    new: bool = False
    since: str = ""
    """Text of the file without which there is no need of it: an earlier release did without."""

    def apply(self, project: Path) -> None:
        """Insert the text. Raises ValueError where the line is not there exactly once."""
        file = project / self.path
        file.parent.mkdir(parents=True, exist_ok=True)
        old = file.read_text("utf-8") if file.exists() else ""
        if self.before is None:
            file.write_text(old + self.text, "utf-8")
            return
        if old.count(self.before) != 1:
            raise ValueError(f"{self.path} has {old.count(self.before)} times {self.before!r}")
        file.write_text(old.replace(self.before, self.text + self.before), "utf-8")

    def is_due(self, project: Path) -> bool:
        """Whether the project has the file, and a need of the text."""
        file = project / self.path
        return self.new or (file.exists() and self.since in file.read_text("utf-8"))

    def is_in(self, project: Path) -> bool:
        """Whether each line is still there, if only inside a conflict marker."""
        file = project / self.path
        return file.is_file() and not _lines(self.text) - _lines(file.read_text("utf-8"))


EDITS: Mapping[str, tuple[Insertion, ...]] = {
    "route": (
        Insertion(
            "src/app/colours/router.py",
            '"""Colours, over HTTP."""\n\nfrom fastapi import APIRouter\n\n'
            'router = APIRouter(prefix="/colours", tags=["colours"])\n\n\n'
            '@router.get("")\nasync def list_colours() -> list[str]:\n'
            '    """The colours that there are."""\n    return ["red", "green"]\n',
            new=True,
        ),
        Insertion("src/app/colours/__init__.py", '"""Colours."""\n', new=True),
        Insertion(
            "src/app/main.py",
            "from app.colours.router import router as colours_router\n",
            before="from app.core.config import",
        ),
        Insertion(
            "src/app/main.py",
            "    app.include_router(colours_router)\n",
            before="    if settings.cors_origins:\n",
        ),
        Insertion(
            "pyproject.toml",
            '    "colours",\n',
            before='    "parts",\n',
            since="exhaustive = true",
        ),
        Insertion(
            "tests/colours/test_colours.py",
            '"""Colours."""\n\nimport httpx2\n\n\n'
            "async def test_colours(client: httpx2.AsyncClient) -> None:\n"
            '    assert (await client.get("/colours")).json() == ["red", "green"]\n',
            new=True,
        ),
    ),
    "setting": (
        Insertion(
            "src/app/core/config.py",
            "    colours: int = Field(default=3, ge=1)\n",
            before="    database_pool_size: int",
        ),
        Insertion(".env.example", "APP_COLOURS=3\n"),
    ),
    "dependency": (
        # Where `uv add` puts it.
        Insertion(
            "pyproject.toml", '    "humanize>=4.12",\n', before="]\n\n[dependency-groups]\n"
        ),
    ),
    "section": (
        Insertion(
            "README.md", "## Colours\n\nWhat there is to know of them.\n\n", before="## License\n"
        ),
    ),
    "compose": (
        Insertion(
            "compose.yaml",
            "\n  colours:\n    image: registry.example/colours:1\n    restart: unless-stopped\n",
        ),
    ),
}  # fmt: skip


def make_edits(project: Path, names: Iterable[str]) -> list[Insertion]:
    """Make the edits named and return them, those of files that the project has not apart."""
    made = [edit for name in names for edit in EDITS[name] if edit.is_due(project)]
    for edit in made:
        edit.apply(project)
    return made


def _lines(text: str) -> Counter[str]:
    return Counter(line for line in text.splitlines() if line.strip())
