"""The reference pages of the docs, written from the template: nothing in them is typed twice."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from plinth.harness.render import Renderer
from plinth.harness.space import AnswerSpace
from tools.docs import questions

SETTING = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$")
TARGET = re.compile(r"(?m)^([a-z-]+):.*## (.*)$")
FULL = {"preset": "full"}
WRITTEN = "<!-- Written by tools/reference.py. -->"


@dataclass(frozen=True)
class Setting:
    """A variable of `.env.example`: its value there, and the comment above it."""

    name: str
    value: str
    comment: str


@dataclass(frozen=True)
class ProblemType:
    """A kind of error that a client may see."""

    type: str
    status: int
    title: str
    meaning: str


def pages(renderer: Renderer) -> Mapping[str, str]:
    """Return each page by its path below the docs."""
    tree = renderer.tree(renderer.space.combination(FULL))
    standard = renderer.tree(renderer.space.combination())
    return {
        "reference/questions.md": _questions(renderer.space),
        "reference/settings.md": _settings(tree[".env.example"], standard[".env.example"]),
        "reference/commands.md": _commands(tree["Makefile"], standard["Makefile"]),
        "reference/problems.md": _problems(tree),
    }


def settings(example: str) -> Iterator[Setting]:
    """Yield the settings of an `.env.example`; one comment may stand above several."""
    comment: list[str] = []
    fresh = True
    for line in example.splitlines():
        if found := SETTING.match(line):
            yield Setting(found[1], found[2], " ".join(comment))
            fresh = False
        elif line.startswith("#"):
            comment = [*([] if not fresh else comment), line.removeprefix("#").strip()]
            fresh = True
        else:
            comment, fresh = [], True


def commands(makefile: str) -> Mapping[str, str]:
    """Return what each target of a Makefile says about itself."""
    return dict(TARGET.findall(makefile))


def problems(tree: Mapping[str, str]) -> list[ProblemType]:
    """Return every type of problem that the code of a service names."""
    modules = [ast.parse(tree[p]) for p in sorted(tree) if re.match(r"src/.*\.py$", p)]
    nodes = [node for module in modules for node in ast.walk(module)]
    found = [problem for node in nodes for problem in (_class(node), _call(node)) if problem]
    return sorted(found, key=lambda problem: (problem.status, problem.type))


def _class(node: ast.AST) -> ProblemType | None:
    if not isinstance(node, ast.ClassDef):
        return None
    values = {
        target.id: statement.value.value
        for statement in node.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    if "type_" not in values:
        return None
    meaning = (ast.get_docstring(node) or "").partition("\n\n")[0]
    status = values.get("status", 500)
    return ProblemType(str(values["type_"]), int(str(status)), str(values["title"]), meaning)


def _call(node: ast.AST) -> ProblemType | None:
    """Read `Problem(TITLE, TYPE, status=STATUS, …)`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return None
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
    words = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
    if node.func.id != "Problem" or len(texts) < 2 or "status" not in words:  # noqa: PLR2004
        return None
    meaning = (
        "`errors` lists what is invalid, and where." if "errors" in str(ast.dump(node)) else ""
    )
    return ProblemType(str(texts[1]), int(str(words["status"])), str(texts[0]), meaning)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', '/') for c in row)} |" for row in cells)


def _page(title: str, text: str, table: str) -> str:
    return f"# {title}\n\n{WRITTEN}\n\n{text}\n\n{table}\n"


def _questions(space: AnswerSpace) -> str:
    text = (
        "The preset `custom` asks all of them, the others those with a •. Each can be answered\n"
        "by `--data NAME=ANSWER`. [The configurator](../configurator.md) shows which answers go\n"
        "together."
    )
    return _page("Questions", text, "\n".join(questions(space)))


def _settings(full: str, standard: str) -> str:
    text = (
        "Of a service with the preset `full`; those with a • are also in `standard`. Each service\n"
        "lists its own in `.env.example`. The value is the one there: the default of the code,\n"
        "except that `APP_ENVIRONMENT` is `production` unless it is set."
    )
    common = {setting.name for setting in settings(standard)}
    rows = [
        [
            f"`{each.name}`{' •' if each.name in common else ''}",
            f"`{each.value}`" if each.value else "",
            each.comment,
        ]
        for each in settings(full)
    ]
    return _page("Settings", text, _table(["variable", "value", "meaning"], rows))


def _commands(full: str, standard: str) -> str:
    text = (
        "Of a service with the preset `full`; those with a • are also in `standard`. `make` alone\n"
        "lists them."
    )
    common = commands(standard)
    rows = [
        [f"`make {name}`{' •' if name in common else ''}", told.replace("<", "&lt;")]
        for name, told in commands(full).items()
    ]
    return _page("Commands of a service", text, _table(["command", "what it does"], rows))


def _problems(tree: Mapping[str, str]) -> str:
    text = (
        "Every error is `application/problem+json` (RFC 9457). `type` is one of these, of a\n"
        "service with the preset `full`, or that of a plain status of HTTP, such as\n"
        "`http-not-found`. `request_id` finds the request in the log. Your own errors add\n"
        "types of their own."
    )
    rows = [[f"`{p.type}`", str(p.status), p.title, p.meaning] for p in problems(tree)]
    return _page("Problem types", text, _table(["type", "status", "title", "when"], rows))
