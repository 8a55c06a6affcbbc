"""What `plinth domain` writes, and what it refuses."""

import ast
import builtins
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plinth import git, style
from plinth.domain import fields, registration
from plinth.domain.fields import Field
from plinth.domain.names import Names
from plinth.domain.package import FIXED_POINT, Domain, Target, as_tree
from plinth.domain.text import names_in
from plinth.errors import StoppedError
from plinth.service import Service
from plinth.template import Template
from plinth.trees import File, Tree

DEFAULT = "name:line"
"""The field of a domain for which none is named: something to begin with."""
APP = "src/app"


@dataclass
class Plan:
    """What would be written."""

    domain: Domain
    new: Mapping[str, bytes]
    """The files of the domain."""
    changed: Mapping[str, bytes]
    """Files of the service in which it is registered."""
    by_hand: Sequence[str]
    """What is left to do, because its place is not there."""
    is_there: bool = False
    """Whether all of it is there already."""


def plan(service: Service, name: str, texts: Sequence[str], singular: str = "") -> Plan:
    """Work out a new domain; nothing in the service changes.

    Raises StoppedError for what cannot be one.
    """
    names = Names.of(name, singular)
    found = fields.parse(texts or [DEFAULT])
    _require_service(service)
    _require_own_field(names, found)
    targets = _targets(service, names, found)
    domain = Domain(names, found, targets, service.answers)
    example = _example(service, cached=domain.cached)
    _refuse_names_in_use(names, example)
    package = _formatted(service, as_tree(domain.files(example)))
    shared = service.folder / FIXED_POINT
    if shared.exists():
        package.pop(FIXED_POINT, None)
    places = registration.register(names, _texts(service))
    new = {path: file.content for path, file in package.items()}
    changed = {path: text.encode() for path, text in places.files.items()}
    is_there = _is_there(service, names, new)
    if not is_there:
        _refuse_tables_in_use(service, names)
        _require_committed(service, changed)
    return Plan(domain, new, changed, places.by_hand, is_there and not changed)


def write(service: Service, found: Plan) -> None:
    """Write a domain into the service."""
    for path, content in {**found.new, **found.changed}.items():
        file = service.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def revision(names: Names) -> Sequence[str]:
    """Return the command that writes the revision."""
    return ("make", "migration", f"m=add {names.many}")


def _require_service(service: Service) -> None:
    missing = {"auth", "database", "orm"} - {*service.answers}
    if missing or not (service.folder / APP).is_dir():
        raise StoppedError(f"{service.folder} is no service of this template: there is no {APP}.")


def _require_own_field(names: Names, found: Sequence[Field]) -> None:
    if all(field.target for field in found):
        raise StoppedError(
            f"{names.plural} would consist of references: give it a field of its own, "
            f"{DEFAULT} for instance."
        )
    for field in found:
        if field.name in {names.singular, names.plural}:
            raise StoppedError(
                f"{field.name} is the name of the domain: choose another for the field."
            )


def _targets(service: Service, names: Names, found: Sequence[Field]) -> dict[str, Target]:
    targets: dict[str, Target] = {}
    for field in found:
        if field.target == names.plural:
            raise StoppedError(f"{field.name} refers to {names.plural} itself: write that by hand.")
        if field.target == "users":
            raise StoppedError(
                f"{field.name} refers to users: a row belongs to its caller already."
            )
        if field.target:
            targets[field.target] = _target(service, field)
    return targets


def _target(service: Service, field: Field) -> Target:
    """Find what a reference needs of another domain: its model, its service, its test."""
    folder = service.folder / APP / field.target
    if not (folder / "models.py").is_file():
        known = _domains(service)
        hint = f" There are {', '.join(known)}." if known else ""
        raise StoppedError(f"{field.name} refers to {field.target}, which is no domain here.{hint}")
    models = [name for name, table in _tables(folder / "models.py") if table == field.target]
    if models:
        singular = _snake(models[0])
        names = Names(field.target, singular)
        error = f"{models[0]}NotFound"
        wanted = {
            folder / "service.py": f"get_{singular}",
            folder / "errors.py": error,
            service.folder
            / "tests"
            / field.target
            / f"test_{field.target}.py": f"create_{singular}",
        }
        for file, name in wanted.items():
            if not file.is_file() or name not in _defined(file):
                path = file.relative_to(service.folder).as_posix()
                raise StoppedError(f"{field.name} needs {name} in {path}, as plinth writes it.")
        return Target(names, error)
    raise StoppedError(
        f"{field.name} needs a model of the table {field.target} in {APP}/{field.target}/models.py."
    )


def _domains(service: Service) -> Sequence[str]:
    """Return the names of the domains that can be referred to."""
    routers = sorted((service.folder / APP).glob("*/router.py"))
    return [
        file.parent.name
        for file in routers
        if file.parent.name != "users"
        and file.with_name("models.py").is_file()
        and any(table == file.parent.name for _, table in _tables(file.with_name("models.py")))
    ]


def _example(service: Service, *, cached: bool) -> Tree:
    """Return the example's files of the service's release, for its answers."""
    with tempfile.TemporaryDirectory(prefix="plinth-") as scratch:
        template = Template.cloned(service, Path(scratch) / "template.git")
        data = {"example": True, **({} if cached else {"cache": "none"})}
        return template.rendered(service, Path(scratch) / "rendered", data)


def _refuse_names_in_use(names: Names, example: Tree) -> None:
    """Refuse what the code of a domain calls something else, such as a session."""
    texts = [file.text for path, file in example.items() if path.startswith(f"{APP}/items/")]
    used = {name for text in texts for name in names_in(text)}
    ours = (
        "test",
        "body",
        "path",
        "field",
        "created",
        "changed",
        "response",
        "read",
        "client",
        "ids",
    )
    for name in (names.singular, names.plural, names.model):
        if name in used - {"item", "items", "Item"} or name in ours or name in dir(builtins):
            raise StoppedError(
                f"{name} is a name that the code of a domain uses itself: choose another, "
                f"customer_{names.plural} for instance."
            )


def _formatted(service: Service, tree: Tree) -> Tree:
    """Sort imports, remove those that are not needed, and format, as the service does."""
    own = {
        name: File((service.folder / name).read_bytes())
        for name in (style.PROJECT, style.LOCK)
        if (service.folder / name).is_file()
    }
    # Ruff tells the service's own modules by their files.
    root = service.folder
    there = [file for name in ("src", "tests") for file in (root / name).rglob("*.py")]
    modules = {file.relative_to(root).as_posix(): File(b"") for file in there}
    found = style.formatted({**modules, **tree}, own, fix="I,F401")
    if found is None:
        raise StoppedError(
            "Ruff cannot run with this service's settings: `uv run ruff check` says why."
        )
    return {path: found[path] for path in tree}


def _texts(service: Service) -> dict[str, str]:
    """Return the texts in which a domain may be registered."""
    files = [*(service.folder / APP).rglob("*.py"), service.folder / registration.PROJECT]
    return {
        file.relative_to(service.folder).as_posix(): file.read_bytes().decode("utf-8", "replace")
        for file in files
    }


def _is_there(service: Service, names: Names, new: Mapping[str, bytes]) -> bool:
    """Whether a domain is there as it would be written.

    Raises StoppedError where another package has its name.
    """
    folder = service.folder / APP / names.plural
    if not folder.exists() and not folder.with_suffix(".py").exists():
        return False
    for path, content in new.items():
        file = service.folder / path
        if not file.is_file() or file.read_bytes() != content:
            raise StoppedError(
                f"{APP}/{names.plural} is there already, and {path} is not what this command would "
                "write: nothing has changed."
            )
    return True


def _refuse_tables_in_use(service: Service, names: Names) -> None:
    for file in sorted((service.folder / APP).rglob("*.py")):
        for model, table in _tables(file):
            if table == names.plural:
                path = file.relative_to(service.folder).as_posix()
                raise StoppedError(f"{model} in {path} has the table {table}: choose another name.")


def _require_committed(service: Service, changed: Mapping[str, bytes]) -> None:
    """Refuse where an edit could not be taken back; other files do not matter."""
    asked = [*changed, "migrations/versions"]
    if files := git.changes(service.folder, *asked):
        raise StoppedError(f"Commit or stash your changes of what this command edits first:{files}")


def _tables(file: Path) -> Sequence[tuple[str, str]]:
    """Return the classes of a module that are tables, each with its table's name."""
    classes = [node for node in ast.walk(_parsed(file)) if isinstance(node, ast.ClassDef)]
    return [
        (node.name, str(statement.value.value))
        for node in classes
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in {"__tablename__", "table_name"}
        and isinstance(statement.value, ast.Constant)
    ]


def _defined(file: Path) -> set[str]:
    return {
        node.name
        for node in _parsed(file).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except SyntaxError as error:
        raise StoppedError(f"{file} cannot be read as Python: {error.msg}.") from error


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]
