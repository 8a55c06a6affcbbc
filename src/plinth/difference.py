"""What a release changes for the answers of a service."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth import git
from plinth.service import Service
from plinth.template import Template


@dataclass(frozen=True)
class Difference:
    """The difference between what two releases render."""

    before: str
    after: str
    patch: str
    summary: str
    files: Sequence[Mapping[str, str]]
    """The path of each file, and what happens to it: A, M or D."""


def difference(
    service: Service, before: str = "", after: str = "", data: Mapping[str, str] | None = None
) -> Difference:
    """Compare two releases, as they are rendered for a service.

    From the service's release to the newest, unless they are named. Raises StoppedError where
    there is no such release.
    """
    with tempfile.TemporaryDirectory(prefix="plinth-") as scratch:
        template = Template.cloned(service, Path(scratch) / "template.git")
        rendered = Path(scratch) / "rendered"
        original, release = template.render(service, rendered, start=before, to=after, data=data)
        ends = ("HEAD~1", "HEAD", "--", ".", f":(exclude){service.answers_file}")
        changed = git.text(rendered, "diff", "--no-renames", "--name-status", *ends)
        lines = (line.split("\t", 1) for line in changed.splitlines())
        return Difference(
            original.release,
            release.release,
            git.run(rendered, "diff", *ends).decode("utf-8", "replace"),
            git.run(rendered, "diff", "--stat", *ends).decode("utf-8", "replace"),
            [{"change": kind, "path": path} for kind, path in lines],
        )
