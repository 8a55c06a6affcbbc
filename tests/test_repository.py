"""Rules that the repository's own files keep, so that the mechanism of parts stays sound."""

import ast
import os
import re
from pathlib import Path

import pytest

from plinth.harness import facts
from plinth.harness.coverage import covering_array
from plinth.harness.hints import Hints
from plinth.harness.project import LITTER
from plinth.harness.render import Renderer
from plinth.harness.source import REPOSITORY, copy_template
from plinth.harness.space import EVERYTHING, AnswerSpace

EXTENSIONS = REPOSITORY / "extensions"
TEMPLATE = REPOSITORY / "template"
# The loop over the parts that are on, what excludes the others, and a macro.
MECHANISM = {EXTENSIONS / "each", EXTENSIONS / "exclude", EXTENSIONS / "literal"}
VARIANTS = "variants"
JINJA = re.compile(r"\{\{|\{%|\{#")


def files_below(folder: Path) -> list[Path]:
    """Every file, those that tools leave behind apart."""
    found = [p for p in sorted(folder.rglob("*")) if p.is_file() and LITTER.isdisjoint(p.parts)]
    assert found, f"{folder.name} is empty"
    return found


def named(path: Path) -> str:
    """Return a path as a person would write it."""
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", files_below(EXTENSIONS), ids=named)
def test_partial_ends_in_one_newline(path: Path) -> None:
    """Partials are joined without anything between them."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("path", files_below(EXTENSIONS), ids=named)
def test_parts_are_known_to_the_mechanism_alone(path: Path) -> None:
    """A partial that asked which parts are on could not be checked on its own."""
    if path not in MECHANISM:
        code = re.sub(r'"[^"]*"', "", path.read_text("utf-8"))
        assert not re.search(r"\{[{%].*\b(parts|extensions)\b.*[}%]\}", code)


@pytest.mark.parametrize("path", files_below(TEMPLATE), ids=named)
def test_template_names_no_list_of_parts(path: Path) -> None:
    """A shared file reaches the parts through `extensions/each` only."""
    tags = re.findall(r"\{%.*?%\}|\{\{.*?\}\}", path.read_text(encoding="utf-8"))
    assert not [tag for tag in tags if re.search(r"\bparts\b", tag)]


def test_variants_hold_no_tags() -> None:
    """A variant is included, so Jinja reads it: braces would change silently."""
    variants = [path for path in files_below(EXTENSIONS) if path.suffix == ".py"]
    defaults = [p.with_suffix("") for p in TEMPLATE.rglob("*.py.jinja")]
    for path in {*variants, *(p for p in defaults if p.exists())}:
        assert not JINJA.search(path.read_text(encoding="utf-8")), named(path)


def misplaced(path: Path) -> str:
    """Return what is wrong with the place of a file of a part; empty where it is right."""
    part, *inner = path.relative_to(EXTENSIONS).parts
    if part == "license":
        return ""  # no part: texts of which an answer chooses one
    if inner[:1] == [VARIANTS]:
        goal = "/".join(inner[1:])
        chosen = [TEMPLATE / f"{goal}.jinja", TEMPLATE / goal]
        return "" if any(p.exists() for p in chosen) else f"{goal} is not in template/"
    if len(inner) > 1 or path.suffix == ".py":
        return f"a whole file is a variant: it lies in {VARIANTS}/ at its destination"
    return ""


def test_variants_lie_at_their_destination() -> None:
    """`extensions/PART/variants/DESTINATION` takes the place of a file, and nothing else does."""
    found = {named(path): why for path in files_below(EXTENSIONS) if (why := misplaced(path))}
    assert not found, "\n".join(f"{path}: {why}" for path, why in found.items())


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("jwt/variants/src/app/main.py", ""),
        ("jwt/readme.md", ""),
        ("jwt/variants/src/app/nothing.py", "src/app/nothing.py is not in template/"),
        ("jwt/main.py", "a whole file is a variant"),
        ("jwt/postgresql/main.md", "a whole file is a variant"),
    ],
)
def test_place_of_a_variant(path: str, told: str) -> None:
    """One that lies elsewhere, or stands for nothing, is told where it belongs."""
    assert misplaced(EXTENSIONS / path)[: len(told) or None] == told


INCLUDE = re.compile(r"\{% include (.*) %\}\n")
ROUTER = "src/app/items/router.py"


def test_what_is_included_alone_is_a_whole_file() -> None:
    """A stub chooses between files that editors and type checkers can read."""
    for stub in TEMPLATE.rglob("*.py.jinja"):
        if alone := INCLUDE.fullmatch(stub.read_text("utf-8")):
            last = alone[1].strip("[]").rpartition(", ")[2]
            assert last.endswith('.py"') or "variants/" in last, f"{named(stub)} includes {last}"


def without_the_cache(path: Path) -> str:
    """Return a router without its imports and its cached route."""
    body = ast.parse(path.read_text("utf-8")).body
    kept = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in kept if getattr(node, "name", "") != "read_item")


@pytest.mark.parametrize(
    ("plain", "cached"),
    [
        (TEMPLATE, EXTENSIONS / "cached_items" / VARIANTS),
        (EXTENSIONS / "unowned" / VARIANTS, EXTENSIONS / "cached_unowned" / VARIANTS),
    ],
)
def test_cached_items_differ_in_one_route(plain: Path, cached: Path) -> None:
    """The two routers of items are near-copies: a change of one is a change of the other."""
    assert without_the_cache(cached / ROUTER) == without_the_cache(plain / ROUTER)


def test_every_file_is_used(template: Path) -> None:
    """A partial that nothing includes, or a variant that no answer chooses, does nothing."""
    used = Renderer(template).used()
    apart = {"owns", "harness.toml"}
    files = [
        named(path)
        for path in files_below(EXTENSIONS)
        if path.name not in apart and path not in MECHANISM
    ]
    unused = [path for path in files if path not in used]
    assert not unused, f"nothing includes {', '.join(unused)}"


def test_an_unused_file_is_found(template: Path, tmp_path: Path) -> None:
    """As where its name is misspelt."""
    copy = copy_template(tmp_path / "template", template)
    part = copy / "extensions" / "jwt"
    (part / "readme.md").rename(part / "raedme.md")
    used = Renderer(copy).used()
    assert "extensions/jwt/env" in used
    assert "extensions/jwt/raedme.md" not in used


def test_a_part_without_words_is_told() -> None:
    """Neither, both, or an empty one: the sentence names the file and what it lacks."""
    hints = Hints(words={"a": "x", "c": "", "d": "x"}, wordless={"b": "why", "d": "why"})
    wrong = hints.unnamed("abcde")
    assert [sentence[: len("extensions/c")] for sentence in wrong] == [
        "extensions/c",
        "extensions/d",
        "extensions/e",
    ]
    assert "say by `words` which words of prose name c" in wrong[0]


def imports_of_tests(text: str) -> list[str]:
    """Return what a module imports from the tests."""
    return [name for name in facts.imported(text) if name.partition(".")[0] == "tests"]


def test_nothing_depends_on_the_tests() -> None:
    """Tools, the package and benchmarks do without them; only tests import from tests.

    What runs inside of a project may import that project's tests.
    """
    wrong = [
        f"{named(file)} imports {', '.join(found)}"
        for folder in ("tools", "src", "benchmarks")
        for file in files_below(REPOSITORY / folder)
        if file.suffix == ".py" and file.parent != REPOSITORY / "benchmarks" / "inside"
        if (found := imports_of_tests(file.read_text("utf-8")))
    ]
    assert not wrong, "\n".join(wrong)


def test_an_import_of_tests_is_found() -> None:
    """In either form."""
    assert imports_of_tests("import tests.conftest\nimport testing\n") == ["tests.conftest"]
    assert imports_of_tests("from tests.test_updates import commit\n")


@pytest.mark.parametrize("path", sorted(EXTENSIONS.glob("*/owns")), ids=named)
def test_owned_files_exist(path: Path) -> None:
    """What a part says that it owns is there, else nothing is left out when it is off."""
    owned = path.read_text(encoding="utf-8").split()
    assert owned, "an empty list"
    for name in owned:
        found = list(TEMPLATE.glob(name)) + list(TEMPLATE.glob(f"{name}.jinja"))
        assert found, f"{name} is not in template/"


def test_every_folder_is_used(space: AnswerSpace) -> None:
    """A folder is a part that copier.yml turns on, or a rendered file names it."""
    rows = [{**EVERYTHING, **answers} for answers in covering_array(space)]
    parts = {name for row in rows for name, on in space.extensions(row).items() if on}
    files = [p for p in files_below(EXTENSIONS) if p not in MECHANISM]
    folders = {p.relative_to(EXTENSIONS).parts[0] for p in files}
    templates = "".join(p.read_text(encoding="utf-8") for p in TEMPLATE.rglob("*.jinja"))
    unused = [name for name in folders - parts if f'"extensions/{name}/' not in templates]
    assert not unused, f"copier.yml turns none of these on: {', '.join(unused)}"
    assert folders & parts


def test_line_ends() -> None:
    """The template, and what it renders, keep LF on every system."""
    for folder in (REPOSITORY, TEMPLATE):
        text = (folder / ".gitattributes").read_text(encoding="utf-8")
        assert "* text=auto eol=lf" in text.splitlines()


def test_no_links() -> None:
    """Links do not survive every checkout."""
    linked = [p for folder in (TEMPLATE, EXTENSIONS) for p in files_below(folder) if p.is_symlink()]
    assert not linked


def test_ci_runs_the_tests() -> None:
    """What CI does is what a developer does."""
    script = REPOSITORY / ".ci" / "run"
    assert "make test" in script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
