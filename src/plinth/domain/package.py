"""The files of a new domain: the example of the service's release, with other names and fields."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import cast

from jinja2 import Environment, StrictUndefined

from plinth.domain import kinds
from plinth.domain.fields import Field
from plinth.domain.kinds import CHECKS, CONSTANTS, kind_of
from plinth.domain.names import Names, camel
from plinth.domain.text import function, renamed, replaced, swap, without_class
from plinth.errors import StoppedError
from plinth.trees import File, Tree

EXAMPLE = ("title", "description")
"""The fields of the example."""
JOIN_COMMENT = (
    "    # A join loads the owner in the same round trip; a collection would need selectinload.\n"
)
A_UUID = '"01981a3e-7c1e-7d3a-9b1e-5b2f4c6d8e90"'
# What fields may need; Ruff removes what they do not.
SCHEMA_IMPORTS = """\
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from app.core.schemas import Line, Text
"""
MODEL_IMPORTS = """\
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID
from sqlalchemy import JSON, Column, ForeignKey, Index, Numeric, String, Text
"""
ORM_IMPORTS = {
    "sqlalchemy": "from sqlalchemy.orm import Mapped, mapped_column, relationship\n",
    "sqlmodel": "from sqlalchemy.orm import Mapped\nfrom sqlmodel import Field, Relationship\n",
}
FIXED_POINT = "src/app/db/fixed_point.py"


@dataclass(frozen=True)
class Target:
    """A domain of the service that a reference refers to."""

    names: Names
    error: str
    """The error of its service for a row that is not there."""


@dataclass(frozen=True)
class Domain:
    """A domain to be written."""

    names: Names
    fields: Sequence[Field]
    targets: Mapping[str, Target]
    """The domains that its fields refer to, by their name."""
    answers: Mapping[str, object]

    @property
    def owned(self) -> bool:
        """Whether a row belongs to a user."""
        return self.answers["auth"] != "none"

    @property
    def references(self) -> Sequence[Field]:
        """The fields that refer to other domains."""
        return [field for field in self.fields if field.target]

    @property
    def cached(self) -> bool:
        """Whether a row is cached.

        Rows that the database changes because others are deleted would stay in the cache, so what
        has references is not cached.
        """
        return self.answers.get("cache", "none") != "none" and not self.references

    def files(self, example: Tree) -> dict[str, str]:
        """Return its files, not formatted yet, from those of the example."""
        names = self.names
        package, tests = f"src/app/{names.plural}", f"tests/{names.plural}"

        def text(name: str, quoted: str = names.plural) -> str:
            return renamed(example[f"src/app/items/{name}"].text, names, quoted)

        found = {
            f"{package}/__init__.py": f'"""{names.many.capitalize()}."""\n',
            f"{package}/errors.py": text("errors.py"),
            f"{package}/models.py": self._models(example["src/app/items/models.py"].text),
            f"{package}/router.py": self._router(example["src/app/items/router.py"].text),
            f"{package}/schemas.py": self._schemas(example["src/app/items/schemas.py"].text),
            f"{package}/service.py": self._service(example["src/app/items/service.py"].text),
            f"{tests}/test_{names.plural}.py": self._rendered("test_domain.py.jinja"),
        }
        if self.owned:
            fixtures = example["tests/items/conftest.py"].text
            found[f"{tests}/conftest.py"] = renamed(fixtures, names, names.plural)
            found[f"{tests}/test_ownership.py"] = self._rendered("test_ownership.py.jinja")
        if self.cached:
            found[f"{tests}/test_cached_{names.plural}.py"] = self._rendered("test_cached.py.jinja")
        if self.answers["database"] == "sqlite" and any(f.kind == "decimal" for f in self.fields):
            found[FIXED_POINT] = self._rendered("fixed_point.py.jinja")
        return found

    def _models(self, text: str) -> str:
        orm, database = str(self.answers["orm"]), str(self.answers["database"])
        columns = [
            kinds.column(field, self.names, orm=orm, database=database, rendered=text)
            for field in self.fields
        ]
        model = replaced(text, EXAMPLE, "".join(columns), within="Item")
        model = renamed(model, self.names, self.names.plural)
        model = (
            model.rstrip() + "\n" + "".join(f"{self._relationship(f)}\n" for f in self.references)
        )
        values = [
            f"{self.names.model}{field.alias} = Literal{json.dumps([*field.values])}\n"
            for field in self.fields
            if field.kind == "enum"
        ]
        head = MODEL_IMPORTS + ORM_IMPORTS[orm]
        if database == "sqlite":
            head += "from app.db.fixed_point import FixedPoint\n"
        if database == "postgresql":
            head += "from sqlalchemy.dialects.postgresql import JSONB\n"
        for target in self.targets.values():
            head += f"from app.{target.names.plural}.models import {target.names.model}\n"
        start = f"\n\nclass {self.names.model}("
        model = swap(model, (start, f"\n{''.join(values)}{start}")) if values else model
        return _with_imports(model, head)

    def _relationship(self, field: Field) -> str:
        name = self.targets[field.target].names.model
        kind = f"{name} | None" if field.optional else name
        options = {"lazy": "raise"}
        if sum(field.target == other.target for other in self.references) > 1:
            options["foreign_keys"] = f"{self.names.model}.{field.name}"
        if self.answers["orm"] == "sqlmodel":
            lazy = f"Relationship(sa_relationship_kwargs={json.dumps(options)})"
        else:
            lazy = f"relationship({', '.join(f'{k}={json.dumps(v)}' for k, v in options.items())})"
        # An empty line sets relationships apart from columns; the owner is one already.
        gap = "" if self.owned or field is not self.references[0] else "\n"
        return f"{gap}    {field.stem}: Mapped[{kind}] = {lazy}"

    def _schemas(self, text: str) -> str:
        names = self.names
        aliases = [kinds.alias(field, names, self._examples(field, 1)) for field in self.fields]
        checks = list(dict.fromkeys(k for f in self.fields if (k := kind_of(f, names).check)))
        head = "".join(CONSTANTS.get(check, "") for check in checks)
        head += "".join(f"\n{CHECKS[check]}\n\n" for check in checks)
        wanted = [name.capitalize() for name in EXAMPLE]
        text = replaced(text, wanted, head + "".join(aliases))
        text = without_class(text, "Owner")
        if "\n    owner: Owner\n" in text:
            text = swap(text, ("\n    owner: Owner\n", "\n"))
        bodies = {"ItemCreate": self._new, "ItemUpdate": self._changed, "ItemRead": self._read}
        for name, line in bodies.items():
            text = replaced(text, EXAMPLE, "".join(map(line, self.fields)), within=name)
        imports = SCHEMA_IMPORTS
        if enums := [f"{names.model}{f.alias}" for f in self.fields if f.kind == "enum"]:
            imports += f"from app.{names.plural}.models import {', '.join(enums)}\n"
        return _with_imports(renamed(text, names, names.plural), imports)

    def _new(self, field: Field) -> str:
        if field.optional:
            return f"    {field.name}: {field.alias} | None = None\n"
        kind = kind_of(field, self.names)
        return f"    {field.name}: {field.alias}{f' = {kind.zero}' if kind.empty else ''}\n"

    def _changed(self, field: Field) -> str:
        if field.optional:
            return f"    {field.name}: {field.alias} | None = None\n"
        return f"    {field.name}: {field.alias} = {kind_of(field, self.names).zero}\n"

    def _read(self, field: Field) -> str:
        kind = kind_of(field, self.names)
        python = "dict[str, JsonValue]" if field.kind == "json" else kind.python
        python = f"{python} | None" if field.optional else python
        return f"    {field.name}: {python} = Field(examples=[{self._examples(field, 1)}])\n"

    def _examples(self, field: Field, count: int) -> str:
        samples = kind_of(field, self.names).samples[:count]
        return ", ".join(map(literal, samples)) or A_UUID

    def _service(self, text: str) -> str:
        create = function(text, "create_item")
        new = swap(
            create,
            ("*, title: str, description: str", "values: Mapping[str, Any]"),
            ("title=title, description=description", "**values"),
        )
        if self.owned:
            new = swap(new, ("    session.add(owner)\n", ""), (", owner=owner", ""))
            text = swap(
                text,
                (JOIN_COMMENT, ""),
                ("    with_owner = joinedload(Item.owner, innerjoin=True)\n", ""),
                (".options(with_owner)", ""),
                ("with_for_update(of=Item)", "with_for_update()"),
            )
        text = swap(text, ("changes: Mapping[str, str]", "changes: Mapping[str, Any]"))
        if self.references:
            text, new = self._with_checks(text, new)
        text = swap(text, (create, new))
        imports = "from collections.abc import Mapping\nfrom typing import Any\n"
        for target in self.targets.values():
            plural, singular = target.names.plural, target.names.singular
            imports += f"from app.{plural}.service import get_{singular}\n"
        return _with_imports(renamed(text, self.names, self.names.plural), imports)

    def _with_checks(self, text: str, create: str) -> tuple[str, str]:
        """Have the service check references, which may name what belongs to another user."""
        caller = "session, owner" if self.owned else "session"
        reason = "it does not exist" + (", or belongs to another user." if self.owned else ".")
        errors = "".join(f"        {error}: {reason}\n" for error in self._errors)
        raises = f"\n\n    Raises:\n{errors}    "
        call = f"    await _check_references({caller}, {{}})\n"
        create = swap(
            create,
            ('"""Add an item."""', f'"""Add an item.{raises}"""'),
            ("    item = Item(", f"{call.format('values')}    item = Item("),
        )
        loop = "    for field, value in changes.items():"
        update = function(text, "update_item")
        changed = swap(update, (loop, call.format("changes") + loop))
        changed = swap(
            changed, ("        PreconditionFailed:", f"{errors}        PreconditionFailed:")
        )
        body = ""
        for field in self.references:
            singular = self.targets[field.target].names.singular
            there = f'values.get("{field.name}")' if field.optional else f'"{field.name}" in values'
            body += f"    if {there}:\n"
            body += f'        await get_{singular}({caller}, values["{field.name}"])\n'
        owner = "owner: User, " if self.owned else ""
        head = f"_check_references(session: AsyncSession, {owner}values: Mapping[str, Any])"
        prose = f'    """Check that what `values` refers to is there.{raises}"""'
        check = f"\n\nasync def {head} -> None:\n{prose}\n{body}"
        return swap(text, (update, changed + check)), create

    @property
    def _errors(self) -> Sequence[str]:
        return [target.error for target in self.targets.values()]

    def _router(self, text: str) -> str:
        text = swap(text, ("title=new.title, description=new.description", "new.model_dump()"))
        imports = ""
        if self.references:
            text, imports = self._with_problems(text)
        return _with_imports(renamed(text, self.names, self.names.path), imports)

    def _with_problems(self, text: str) -> tuple[str, str]:
        """Have the routes describe the errors of references."""
        found = ", ".join(["Conflict", *self._errors])
        create = function(text, "create_item")
        if "problem_responses(Conflict)" in create:
            new = swap(create, ("problem_responses(Conflict)", f"problem_responses({found})"))
        elif "responses={" in create:
            new = swap(create, ("responses={", f"responses={{**problem_responses({found}), "))
        else:
            new = swap(
                create,
                (
                    "response_model=ItemRead",
                    f"response_model=ItemRead, responses=problem_responses({found})",
                ),
            )
        update = function(text, "update_item")
        changed = "CHANGED = problem_responses(ItemNotFound, PreconditionFailed)\n"
        more = f"UPDATED = problem_responses(ItemNotFound, PreconditionFailed, {found})\n"
        text = swap(
            text,
            (create, new),
            (update, swap(update, ("CHANGED", "UPDATED"))),
            (changed, changed + more),
        )
        imports = "from app.core.errors import Conflict\n"
        for target in self.targets.values():
            imports += f"from app.{target.names.plural}.errors import {target.error}\n"
        return text, imports

    def _rendered(self, name: str) -> str:
        """Render a text of our own: tests, which speak HTTP and depend on no release."""
        environment = Environment(
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - it is Python, not HTML
        )
        environment.filters["literal"] = literal
        source = files("plinth.domain").joinpath("texts", name).read_text("utf-8")
        plain = [field for field in self.fields if not field.target]
        kind = {field.name: kind_of(field, self.names) for field in self.fields}
        return environment.from_string(source).render(
            domain=self, names=self.names, plain=plain, kind=kind, camel=camel
        )


def literal(value: object) -> str:
    """Return a value as Python has it, with the quotes of the house."""
    if isinstance(value, str):
        if len(value) > LONG and len({*value}) == 1:
            return f'"{value[0]}" * {len(value)}'
        return json.dumps(value, ensure_ascii=False).replace("\\u0000", "\\0")
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, cast('list[object]', value)))}]"
    return repr(value)


LONG = 60


def _with_imports(text: str, imports: str) -> str:
    """Add imports behind the docstring; Ruff sorts them, and removes what is not needed."""
    if not imports:
        return text
    head, quotes, rest = text.partition('"""\n')
    if not quotes:
        raise StoppedError(
            "The example of this service's release has a module without a docstring."
        )
    return f"{head}{quotes}\n{imports}{rest.removeprefix(chr(10))}"


def as_tree(texts: Mapping[str, str]) -> Tree:
    """Return texts as files."""
    return {path: File(text.encode()) for path, text in texts.items()}
