"""An audit as a table, as Markdown, and as JSON."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from plinth.fleet.audit import Audit
from plinth.fleet.rows import Row
from plinth.fleet.rules import RULES, link
from plinth.service import ANSWERS

HEAD = ("service", "path", "template", "version", "behind", "pins", "drift", "next", "state")
NONE = "-"


def cells(row: Row) -> list[str]:
    """Return a service's line of the table."""
    drift = row.drift
    return [
        row.service,
        row.path if row.answers_file in {"", ANSWERS} else f"{row.path} ({row.answers_file})",
        row.template or NONE,
        row.version or NONE,
        _behind(row),
        ", ".join(sorted(row.pins)) or NONE,
        f"{len(drift.edited)} edited, {len(drift.deleted)} deleted, {drift.own} own"
        if drift
        else NONE,
        str(row.next) if row.next else NONE,
        row.state,
    ]


def _behind(row: Row) -> str:
    if row.behind is None:
        return NONE
    return f"{row.behind} ({row.days} days)" if row.behind else "0"


def table(found: Audit) -> Table:
    """Return the table for a terminal."""
    made = Table(*HEAD, box=box.SIMPLE_HEAD)
    for row in found.rows:
        made.add_row(*map(escape, cells(row)), style="red" if row.error else "")
    return made


def details(found: Audit) -> list[str]:
    """Return a line for each finding, then one for each of their rules."""
    lines = [
        f"{row.path}: {finding.rule} {finding.detail}"
        for row in found.rows
        for finding in row.findings
    ]
    ids = sorted({finding.rule for row in found.rows for finding in row.findings})
    return [*lines, *(f"{id_}: {RULES[id_].title}, {link(RULES[id_])}" for id_ in ids)]


def markdown(found: Audit) -> str:
    """Return the table and what is behind it, for a page or a comment."""
    lines = ["| " + " | ".join(HEAD) + " |", "| " + " | ".join(["---"] * len(HEAD)) + " |"]
    lines += ["| " + " | ".join(_cell(text) for text in cells(row)) + " |" for row in found.rows]
    listed = [
        f"- {_cell(row.path)}: [{finding.rule}]({link(RULES[finding.rule])}), "
        f"{_cell(finding.detail)}"
        for row in found.rows
        for finding in row.findings
    ]
    return "\n".join([*lines, "", *listed, "", summary(found)]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def as_json(found: Audit, code: int) -> str:
    """Return all that was found; `exit` is how the command ends."""
    rules: dict[str, Any] = {
        rule.id: {"title": rule.title, "problem": rule.is_problem, "docs": link(rule)}
        for rule in RULES.values()
    }
    return (
        json.dumps(
            {
                "exit": code,
                "summary": summary(found),
                "services": [_service(row) for row in found.rows],
                "rules": rules,
            },
            indent=2,
            default=str,
        )
        + "\n"
    )


def _service(row: Row) -> dict[str, Any]:
    following = {**asdict(row.next), "is": str(row.next)} if row.next else None
    pins = {name: {"pinned": wanted, "is": answer} for name, (wanted, answer) in row.pins.items()}
    return {**asdict(row), "pins": pins, "next": following, "state": row.state}


def summary(found: Audit) -> str:
    """Return the closing line."""
    unreadable = sum(bool(row.error) for row in found.rows)
    services = len(found.rows) - unreadable
    counted = Counter(finding.rule for row in found.rows for finding in row.findings)
    told = ", ".join(f"{number} {id_}" for id_, number in sorted(counted.items()))
    words = [
        f"fleet: {_number(services, 'service')}",
        f"{_number(counted.total(), 'finding')}{f' ({told})' if told else ''}",
        f"{unreadable} unreadable",
    ]
    passed = f", {_number(found.passed, 'repository', 'repositories')} without a service"
    return ", ".join(words) + (passed if found.passed else "")


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
