"""What can be out of order in a service, each with an id that docs/fleet.md explains."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Literal, cast

from plinth.fleet.addresses import normal
from plinth.fleet.rows import Finding, Row


@dataclass(frozen=True)
class Rule:
    """What is out of order."""

    id: str
    title: str
    is_problem: bool = True
    """Whether it makes the command fail where nothing else is said; else it is a note."""


RULES = {
    rule.id: rule
    for rule in (
        Rule("PF001", "behind the template's releases"),
        Rule("PF002", "an answer is not as pinned"),
        Rule("PF003", "a rendered file was edited", is_problem=False),
        Rule("PF004", "a rendered file was deleted", is_problem=False),
        Rule("PF005", "the next update has conflicts"),
        Rule("PF006", "the next update would lose work"),
        Rule("PF007", "conflict markers are committed"),
        Rule("PF008", "an update is not finished"),
        Rule("PF009", "changes are not committed", is_problem=False),
        Rule("PF010", "the template has no such release"),
        Rule("PF011", "the recorded answers are refused"),
        Rule("PF012", "not readable"),
    )
}
UNREADABLE = "PF012"
PROBLEMS = frozenset(rule.id for rule in RULES.values() if rule.is_problem)


def findings(row: Row, max_behind: int) -> Iterator[Finding]:
    """Yield what is out of order in a service."""
    if row.error:
        yield Finding(UNREADABLE, row.error)
    if row.unknown:
        yield Finding("PF010", row.unknown)
    if row.behind and row.behind > max_behind:
        releases = "1 release" if row.behind == 1 else f"{row.behind} releases"
        yield Finding("PF001", f"{row.version} is {releases} behind {row.target}")
    for name, (wanted, answer) in row.pins.items():
        yield Finding("PF002", f"{name} is {_said(answer)}, pinned to {wanted}")
    yield from _of_files(row)
    if row.unfinished:
        yield Finding("PF008", "plinth update --continue goes on")
    if row.dirty:
        yield Finding("PF009", "what is not committed is not looked at")


def _of_files(row: Row) -> Iterator[Finding]:
    drift, following = row.drift, row.next
    if drift:
        yield from (Finding("PF003", path) for path in drift.edited)
        yield from (Finding("PF004", path) for path in drift.deleted)
    if following:
        yield from (Finding("PF005", path) for path in following.conflicts)
        yield from (Finding("PF006", what) for what in following.loses)
        if following.refused:
            yield Finding("PF011", following.refused)
    yield from (Finding("PF007", path) for path in row.markers)


def broken_pins(
    answers: dict[str, object], pins: dict[str, object], address: str
) -> dict[str, tuple[str, object]]:
    """Return the pinned answers that a service has otherwise: what is wanted, and what it has.

    A list allows each of its values. Addresses of a template are equal in any spelling.
    """
    found: dict[str, tuple[str, object]] = {}
    for name, pinned in pins.items():
        allowed = cast("list[object]", pinned) if isinstance(pinned, list) else [pinned]
        answer = answers.get(name)
        if name == "_src_path":
            allowed, answer = [normal(str(value)) for value in allowed], address
        if answer not in allowed or type(answer) not in {type(value) for value in allowed}:
            found[name] = " or ".join(_said(value) for value in allowed), answer
    return found


def exit_code(rows: Collection[Row], failing: Collection[str]) -> Literal[0, 1, 3]:
    """Return how the command ends: 0 in order, 1 with findings, 3 where some are not readable."""
    ids = {finding.rule for row in rows for finding in row.findings}
    if UNREADABLE in ids:
        return 3
    return 1 if ids & {*failing} else 0


def link(rule: Rule) -> str:
    """Return where a rule is described: in the repository that this package came from."""
    page = f"docs/fleet.md#{rule.id.lower()}"
    try:
        origin = json.loads(metadata.distribution("plinth").read_text("direct_url.json") or "{}")
    except metadata.PackageNotFoundError:
        return page
    if not str(origin.get("url", "")).startswith("https://") or "vcs_info" not in origin:
        return page
    commit = origin["vcs_info"].get("commit_id", "HEAD")
    return f"https://{normal(origin['url'])}/blob/{commit}/{page}"


def _said(value: object) -> str:
    return "not answered" if value is None else json.dumps(value) if value == "" else str(value)
