"""Changelogs in the form of Keep a Changelog: what is unreleased, and what each release brought."""

import re
from dataclasses import dataclass

from plinth.errors import StoppedError
from plinth.template import version

UNRELEASED = "## [Unreleased]\n"
SECTION = re.compile(r"(?m)^(?=## )")


@dataclass(frozen=True)
class Changelog:
    """A changelog: how it begins, what is unreleased, and a section for each release."""

    head: str
    unreleased: str | None
    """None where it has no such section."""
    sections: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> "Changelog":
        """Take the text of a changelog apart."""
        head, *sections = SECTION.split(text)
        news = "".join(s.removeprefix(UNRELEASED) for s in sections if s.startswith(UNRELEASED))
        return cls(head, news.strip("\n"), tuple(s for s in sections if version(heading(s))))

    @property
    def newest(self) -> str:
        """The heading of the newest release; empty where there is none."""
        return max(map(heading, self.sections), key=version, default="")

    def released(self, name: str, date: str) -> "Changelog":
        """Return it with what was unreleased under a version, and its day."""
        section = f"## [{name}] - {date}\n\n{self.unreleased}\n"
        return Changelog(self.head, "", (section, *self.sections))

    def beside(self, other: "Changelog") -> "Changelog":
        """Return it with the releases of another one too."""
        return Changelog(self.head, self.unreleased, (*self.sections, *other.sections))

    def __str__(self) -> str:
        """Return its text, the newest release first."""
        ordered = sorted(self.sections, key=lambda section: version(heading(section)), reverse=True)
        news = [] if self.unreleased is None else [f"{UNRELEASED}\n{self.unreleased}"]
        return "\n".join(f"{text.rstrip()}\n" for text in [self.head, *news, *ordered])


def heading(section: str) -> str:
    """Return the first line of a section."""
    return section.partition("\n")[0]


def require_news(changelog: Changelog, file: str) -> None:
    """Raise StoppedError where nothing is unreleased."""
    if not changelog.unreleased:
        raise StoppedError(f"{file} has nothing under [Unreleased]: say what a project receives.")
