"""Show which of the servers that tests need are available: `make servers`.

One that is missing is an error where its variable is set, or CI is; else what needs it is left out.
"""

from dataclasses import dataclass

from plinth.harness.hints import Hints
from plinth.harness.servers import ServerMissingError, missing, sentence
from plinth.harness.source import REPOSITORY
from tools.report import command, conclude, say


@dataclass(frozen=True)
class Report:
    """The parts whose servers there are, and those whose are missing; some are started here."""

    there: list[str]
    missing: list[str]
    started: list[str]

    def __str__(self) -> str:
        """Return the closing line."""
        found = {"there": self.there, "missing": self.missing, "started by tests": self.started}
        told = ", ".join(f"{' and '.join(names)} {how}" for how, names in found.items() if names)
        return f"servers: {told}"


def main() -> None:
    """Look, and say what is left out."""
    parser = command("servers", __doc__)
    given = parser.parse_args()
    servers = Hints.read(REPOSITORY).servers
    try:
        absent = missing(servers)
    except ServerMissingError as error:
        parser.exit(1, f"{error}\n")
    if absent:
        say(sentence(absent))
    started = [part for part, server in servers.items() if server.start]
    there = [part for part in servers if part not in {*absent, *started}]
    conclude(Report(there, [*absent], started), failed=False, as_json=given.json)


if __name__ == "__main__":
    main()
