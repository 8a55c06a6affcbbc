"""Write tables of the documentation: what the benchmarks found, and which questions there are."""

import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth.harness.source import copy_template, isolated
from plinth.harness.space import CUSTOM, PRESETS, AnswerSpace
from tools.report import command, conclude

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results"
PAGE = REPOSITORY / "docs" / "queues.md"
README = REPOSITORY / "README.md"

Figures = Mapping[str, object]


@dataclass(frozen=True)
class Report:
    """What was written."""

    tables: int
    rows: int

    def __str__(self) -> str:
        """Return the closing line."""
        return f"docs: {self.tables} tables with {self.rows} rows"


def main() -> None:
    """Write the tables."""
    given = command("docs", __doc__).parse_args()
    measured = {name: table(name) for name in TABLES}
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        asked = {"questions": questions(AnswerSpace(copy_template(Path(folder) / "template")))}
    for page, tables in ((PAGE, measured), (README, asked)):
        page.write_text(filled(page.read_text("utf-8"), tables), "utf-8")
    rows = sum(len(lines) - 2 for lines in (*measured.values(), *asked.values()))
    conclude(Report(len(measured) + 1, rows), failed=False, as_json=given.json)


def filled(text: str, tables: Mapping[str, Sequence[str]]) -> str:
    """Return the page with these tables in their places.

    Raises ValueError where a table has none, or two.
    """
    for name, lines in tables.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        content = "\n".join(["", *lines, "", ""])
        text, found = place.subn(lambda match, new=content: match[1] + new + match[2], text)
        if found != 1:
            message = f"There are {found} places for {name}, not 1."
            raise ValueError(message)
    return text


def table(name: str) -> list[str]:
    """Return the lines of a table: a row for each library on each broker."""
    columns = TABLES[name]
    results: dict[str, Figures] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    head = ["library, broker", *columns]
    rows = [
        [called.replace(" ", ", "), *(cell(figures) for cell in columns.values())]
        for called, figures in results.items()
    ]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def questions(space: AnswerSpace) -> list[str]:
    """Return the lines of a table: a row for each question that may be asked, in that order."""
    everywhere = space.asked({"preset": "standard"})
    defaults = [space.complete({"preset": preset}) for preset in PRESETS]
    rows = [["question", "", "answers", *PRESETS]]
    rows.append(["---"] * len(rows[0]))
    for name, message in space.messages().items():
        values = space.factors().get(name, ())
        cells = [_answer(answers[name]) for answers in defaults] if values else [""] * len(PRESETS)
        mark = " •" if name in everywhere else ""
        rows.append([f"`{name}`{mark}", _sentence(message), _answers(space, name), *cells])
    return [f"| {' | '.join(row)} |".replace("|  |", "| |").replace("|  |", "| |") for row in rows]


def _sentence(message: str) -> str:
    """Return the first sentence of a question's help."""
    return re.split(r"(?<=[.?!]) ", " ".join(message.split()))[0].replace("|", "\\|")


def _answers(space: AnswerSpace, name: str) -> str:
    """Return what can be answered; nothing for a text."""
    values = space.factors().get(name, ())
    if name == "preset":
        values = (*PRESETS, CUSTOM)
    return "yes, no" if True in values else ", ".join(map(_answer, values))


def _answer(value: object) -> str:
    words: Mapping[object, str] = {True: "yes", False: "no"}
    return words.get(value, str(value))


def _figure(name: str) -> Callable[[Figures], str]:
    def cell(figures: Figures) -> str:
        value = figures[name]
        return f"{value:,}" if isinstance(value, int) else str(value)

    return cell


def _without(figures: Figures) -> str:
    if "without" not in figures:
        return "there is nothing to take away"
    lost, sent = figures["lost without"], figures["sent without"]
    return f"{lost} of {sent:,}: {figures['without']}"


TABLES: Mapping[str, Mapping[str, Callable[[Figures], str]]] = {
    "kills": {
        "sent": _figure("sent"),
        "lost": _figure("lost"),
        "effects twice": _figure("doubled"),
        "extra attempts": _figure("extra attempts"),
        "done, after the last was sent": lambda figures: f"{figures['drain s']} s",
        "lost without": _without,
    },
    "queues": {
        "sent a second": _figure("sent/s"),
        "done a second": _figure("done/s"),
        "lost worker noticed after": lambda figures: f"{figures['given away after s']} s",
        "memory of a worker": lambda figures: f"{figures['worker MB']} MB",
    },
}


if __name__ == "__main__":
    main()
