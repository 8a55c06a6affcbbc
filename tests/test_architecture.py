"""What a project's modules, its import rules, and its image say of one another."""

import ast
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from plinth.harness import facts
from plinth.harness.coverage import covering_array
from plinth.harness.survey import Survey
from plinth.imports import module_of

Tree = Mapping[str, str]
ROOT = "src/app/"
# Where the service and what runs beside it begin, what is looked for by its name, and what there is
# for a project's own domains and tasks.
ENTRY = re.compile(
    r"app\.(main|server|db\.base|core\.(pagination|preconditions|schemas)|outbox\.(relay|lag)"
    r"|tasks\.(worker|scheduler|failed)|(\w+\.)*(models|tasks))"
)


@pytest.fixture(scope="module")
def trees(survey: Survey) -> list[Tree]:
    """Return projects in which any two answers meet."""
    return [survey.renderer.tree(answers) for answers in covering_array(survey.space)]


def modules(tree: Tree) -> dict[str, str]:
    """Return the text of each module of the service."""
    found = (path for path in tree if path.startswith(ROOT) and path.endswith(".py"))
    return {module_of(path): tree[path] for path in found}


def imported(text: str) -> Iterator[str]:
    """Yield each module, or name in a module, that a text imports, and the packages around it."""
    for name in facts.imported(text):
        parts = name.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def contracts(tree: Tree) -> Mapping[str, Mapping[str, list[str]]]:
    """Return the import rules by their id."""
    found = tomllib.loads(tree["pyproject.toml"])["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract for contract in found}


def test_every_module_is_used(trees: list[Tree]) -> None:
    """What no part needs any more is not left behind."""
    for tree in trees:
        found = modules(tree)
        pending = [*filter(ENTRY.fullmatch, found)]
        reached = {*pending}
        while pending:
            new = {*imported(found[pending.pop()])} & found.keys() - reached
            reached |= new
            pending += new
        assert found.keys() - reached == set()


def test_every_function_is_used(trees: list[Tree]) -> None:
    """What no part calls any more is not left behind, unless the project's texts tell of it."""
    for tree in trees:
        paths = [path for path in tree if path.endswith((".py", ".md", ".toml", "Makefile"))]
        text = "\n".join(tree[path] for path in paths if not path.startswith("tests/"))
        words = Counter(re.findall(r"\w+", text))
        defined = {
            node.name
            for module, source in modules(tree).items()
            if not ENTRY.fullmatch(module)
            for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.decorator_list
        }
        assert {name for name in defined if words[name] == 1} == set()


def test_every_package_has_a_layer(trees: list[Tree]) -> None:
    """The rule of the layers holds for all packages and for the modules beside them.

    That it holds for those that users add is tested in test_import_rules.py.
    """
    for tree in trees:
        names = {name.split(".")[1] for name in modules(tree) if "." in name}
        layers = contracts(tree)["layers"]["layers"]
        assert names == {name for layer in layers for name in layer.split(" : ")}


def test_no_dependency_needs_a_thread(trees: list[Tree]) -> None:
    """FastAPI runs a plain function in a thread, which costs more than what it does."""
    for tree in trees:
        nodes = [node for text in modules(tree).values() for node in ast.walk(ast.parse(text))]
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        named = {ast.unparse(call.args[0]) for call in calls if _called(call) == "Depends"}
        assert "get_database" in named
        plain = [n.name for n in nodes if isinstance(n, ast.FunctionDef) and n.name in named]
        assert plain == []


def test_first_revision_names_every_constraint(trees: list[Tree]) -> None:
    """Each table has a primary key, and what has a name can be changed by it later."""
    for tree in trees:
        revision = next((tree[path] for path in tree if path.endswith("_initial.py")), "")
        calls = [node for node in ast.walk(ast.parse(revision)) if isinstance(node, ast.Call)]
        tables = [call for call in calls if _called(call) == "op.create_table"]
        for table in tables:
            made = [arg for arg in table.args if isinstance(arg, ast.Call)]
            constraints = [call for call in made if _called(call).endswith("Constraint")]
            assert [_called(call) for call in constraints].count("sa.PrimaryKeyConstraint") == 1
            assert all("name" in {k.arg for k in call.keywords} for call in constraints)


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_image_has_what_it_runs(survey: Survey, trees: list[Tree]) -> None:
    """The command of the image is one of a distribution that the service itself requires."""
    images = [tree for tree in trees if "Dockerfile" in tree]
    assert images
    for tree in images:
        (command,) = re.findall(r"(?m)^CMD (\[.+\])$", tree["Dockerfile"])
        required = tomllib.loads(tree["pyproject.toml"])["project"]["dependencies"]
        brought = (survey.distributions[facts.distribution(text)] for text in required)
        assert json.loads(command)[0] in {name for one in brought for name in one.scripts}


def test_image_is_labelled_by_the_workflow(trees: list[Tree]) -> None:
    """The workflow says where an image comes from; its version is that of a release."""
    built = [tree for tree in trees if {"Dockerfile", ".github/workflows/ci.yaml"} <= tree.keys()]
    assert built
    for tree in built:
        wanted = {*re.findall(r"(?m)^ARG ([A-Z]+)$", tree["Dockerfile"])} - {"VERSION"}
        given = {*re.findall(r"(?m)^ +([A-Z]+)=\$\{\{ ", tree[".github/workflows/ci.yaml"])}
        assert given == wanted != set()


def test_driver_is_installed(trees: list[Tree]) -> None:
    """The URLs of development and tests name the driver that the service requires."""
    drivers = {"aiosqlite", "asyncmy", "asyncpg", "psycopg"}
    for tree in trees:
        required = tomllib.loads(tree["pyproject.toml"])["project"]["dependencies"]
        installed = drivers & {*map(facts.distribution, required)}
        texts = [tree[path] for path in (".env.example", "tests/database.py", "tools/run.py")]
        named = {*re.findall(r"\b\w+\b", "\n".join(texts))} & drivers
        assert named == installed
        assert len(installed) == 1


def test_models_are_of_the_chosen_kind(trees: list[Tree]) -> None:
    """Where SQLModel is required, all models and their base are its own, and nothing else is."""
    seen: set[bool] = set()
    for tree in trees:
        required = tomllib.loads(tree["pyproject.toml"])["project"]["dependencies"]
        wanted = "sqlmodel" in map(facts.distribution, required)
        found = modules(tree)
        models = {name for name in found if name == "app.db.base" or name.endswith(".models")}
        assert {name for name in found if "sqlmodel" in {*imported(found[name])}} == (
            models if wanted else set()
        )
        seen.add(wanted)
    assert seen == {True, False}
