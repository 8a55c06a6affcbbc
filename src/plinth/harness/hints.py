"""What a part says of itself that cannot be read off the template: `extensions/PART/harness.toml`.

The form is described in docs/adding-an-extension.md. An organisation's own parts say it in the same
way, in `organisation/PART/harness.toml`.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FOLDERS = ("extensions", "organisation")
KEYS = {
    "words",
    "wordless",
    "used_through",
    "machinery",
    "server",
    "apart",
    "hold",
    "proof",
    "survivor",
    "versions",
}


class HintError(Exception):
    """A file of hints says something that the harness does not know; the message names it."""


@dataclass(frozen=True)
class Server:
    """A server that has to be there for the tests of a part."""

    variable: str
    """The environment variable that names another one than `url`."""
    url: str
    setting: str
    """The variable by which the project's tests are told of it."""
    start: Sequence[str] = ()
    """The command that starts one, where a package brings it: with `{port}` and `{folder}`."""

    @property
    def address(self) -> str:
        """Its URL."""
        return os.environ.get(self.variable) or self.url

    @property
    def place(self) -> tuple[str, int]:
        """Its host and port; what the address leaves out is as in `url`."""
        usual, given = urlsplit(self.url), urlsplit(self.address)
        return given.hostname or usual.hostname or "", given.port or usual.port or 0


@dataclass(frozen=True)
class Hints:
    """What all parts say of themselves."""

    words: Mapping[str, str] = field(default_factory=dict[str, str])
    """For each part the pattern of the words that name it: nothing else may mention them."""
    wordless: Mapping[str, str] = field(default_factory=dict[str, str])
    """For each part that no word names the reason why."""
    used_through: Mapping[str, str] = field(default_factory=dict[str, str])
    """For each distribution that nothing imports by name, the pattern that shows its use."""
    machinery: Sequence[str] = ()
    """What the tests in tests/machinery import that no project requires."""
    hold: str = ""
    """A script that runs in a project's folder while programs run their tests there."""
    hold_with: str = ""
    """The file that a project must have for `hold` to run."""
    servers: Mapping[str, Server] = field(default_factory=dict[str, Server])
    """The server that the tests of a part need."""
    apart: Sequence[str] = ()
    """Parts that want other versions than the rest: they have environments of their own."""
    proofs: Sequence[Mapping[str, Any]] = ()
    """What makes an answer do nothing, and the test that notices."""
    survivors: Sequence[Mapping[str, str]] = ()
    """Mutants of the template that nothing notices, each with a reason."""

    @classmethod
    def read(cls, template: Path) -> "Hints":
        """Read what the parts of a template say.

        Raises HintError where a file has a key that means nothing.
        """
        found = {
            file.parent.name: _content(file)
            for folder in FOLDERS
            for file in sorted((template / folder).glob("*/harness.toml"))
        }
        none: dict[str, str] = {}
        hold = next((content["hold"] for content in found.values() if "hold" in content), none)
        return cls(
            words={part: c["words"] for part, c in found.items() if "words" in c},
            wordless={part: c["wordless"] for part, c in found.items() if "wordless" in c},
            used_through={
                name: pattern
                for content in found.values()
                for name, pattern in content.get("used_through", {}).items()
            },
            machinery=[r for content in found.values() for r in content.get("machinery", ())],
            hold=hold.get("script", ""),
            hold_with=hold.get("with", ""),
            servers={part: Server(**c["server"]) for part, c in found.items() if "server" in c},
            apart=[part for part, content in found.items() if content.get("apart")],
            proofs=[proof for content in found.values() for proof in content.get("proof", ())],
            survivors=[s for content in found.values() for s in content.get("survivor", ())],
        )

    def unnamed(self, parts: Iterable[str]) -> list[str]:
        """Return a sentence for each part of which it is not said which words name it."""
        return [
            f"extensions/{part}/harness.toml: say by `words` which words of prose name {part}, "
            "or by `wordless` why there is none"
            for part in parts
            if bool(self.words.get(part)) == bool(self.wordless.get(part))
        ]


def _content(file: Path) -> dict[str, Any]:
    content = tomllib.loads(file.read_text("utf-8"))
    if unknown := content.keys() - KEYS:
        raise HintError(f"{file.parent.name}/{file.name} has unknown keys: {', '.join(unknown)}")
    return content
