"""What is known about a service."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something that is out of order, by the id of its rule."""

    rule: str
    detail: str


@dataclass(frozen=True)
class Drift:
    """How a service differs from what its release renders for its answers."""

    edited: Sequence[str]
    deleted: Sequence[str]
    own: int
    """How many files it has besides."""


@dataclass(frozen=True)
class NextUpdate:
    """What the next update would do."""

    conflicts: Sequence[str] = ()
    loses: Sequence[str] = ()
    """What it would take away; the update would stop."""
    refused: str = ""
    """Why it cannot be worked out."""

    def __str__(self) -> str:
        """Return it in a word or two."""
        if self.refused:
            return "refused"
        if self.loses:
            return f"would lose {len(self.loses)}"
        many = len(self.conflicts)
        return f"{many} conflict{'s' if many > 1 else ''}" if many else "clean"


@dataclass
class Row:
    """A service, or a place where there is none."""

    service: str
    path: str
    answers_file: str = ""
    template: str = ""
    version: str = ""
    target: str = ""
    behind: int | None = None
    days: int | None = None
    pins: dict[str, tuple[str, object]] = field(default_factory=dict[str, tuple[str, object]])
    """Pinned answers that it has otherwise: what is wanted, and what it has."""
    drift: Drift | None = None
    next: NextUpdate | None = None
    markers: Sequence[str] = ()
    """Files with conflict markers that are committed."""
    unfinished: bool = False
    dirty: bool = False
    unknown: str = ""
    """What the template does not have: the recorded release, or the wanted one."""
    error: str = ""
    """Why it cannot be read."""
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def state(self) -> str:
        """What is the matter, in a word or by ids."""
        if self.error:
            return "unreadable"
        return " ".join(sorted({finding.rule for finding in self.findings})) or "in order"
