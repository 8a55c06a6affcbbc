"""The fields of a domain, as they are written on the command line."""

import builtins
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from plinth.domain.names import LONGEST, camel
from plinth.errors import StoppedError

NAME = re.compile("[a-z]+[a-z0-9]*(_[a-z0-9]+)*")
VALUE = re.compile("[a-z0-9]+([_-][a-z0-9]+)*")
LONGEST_VALUE = 50
TYPES = (
    *("line", "text", "int", "decimal", "date", "datetime", "bool"),
    *("enum:VALUE,VALUE", "json", "reference:DOMAIN"),
)
# What every row has, and what the classes of rows have for other purposes.
OWN = {"id", "owner", "owner_id", "version", "created_at", "updated_at"}
TAKEN = {"metadata", "registry", "table_name"}
# What modules of a domain import.
IMPORTED = {
    *(
        "Annotated",
        "Any",
        "Base",
        "Changes",
        "Column",
        "Decimal",
        "Field",
        "Index",
        "Line",
        "Literal",
    ),
    *("Mapped", "Numeric", "Relationship", "String", "Text", "User"),
}
# In the body of a class these would hide the types that the next field needs.
HIDING = {"date", "datetime", *(name for name in dir(builtins) if name.islower())} - {
    *("type", "hash", "format", "filter", "range", "input", "license", "copyright", "credits"),
    *("min", "max", "sum", "open", "round", "map", "next", "object", "property", "all", "any"),
}


@dataclass(frozen=True)
class Field:
    """A field: its name in requests and responses, which is that of its column."""

    name: str
    kind: str
    optional: bool = False
    values: tuple[str, ...] = ()
    """What an enum allows."""
    target: str = ""
    """The domain that a reference refers to."""

    @property
    def stem(self) -> str:
        """What a reference is called in models: `customer` for `customer_id`."""
        return self.name.removesuffix("_id")

    @property
    def alias(self) -> str:
        """The name of its type in the schemas."""
        name = camel(self.name)
        return f"{name}Value" if name in IMPORTED else name


def parse(texts: Sequence[str]) -> list[Field]:
    """Read fields. Raises StoppedError for what is none, or what cannot be one."""
    found = [_field(text) for text in texts]
    names = [field.name for field in found]
    for name in names:
        if names.count(name) > 1:
            raise StoppedError(f"There are two fields called {name}.")
    return found


def _field(text: str) -> Field:
    name, _, rest = text.partition(":")
    if not rest:
        raise StoppedError(f"Write a field as NAME:TYPE, not {text!r}; types: {' '.join(TYPES)}.")
    optional = rest.endswith("?")
    kind, _, more = rest.removesuffix("?").partition(":")
    if kind not in {known.partition(":")[0] for known in TYPES}:
        raise StoppedError(f"There is no type {kind!r}; types: {' '.join(TYPES)}.")
    if more and kind not in {"enum", "reference"}:
        raise StoppedError(f"{kind} takes nothing behind it, and {text!r} has {more!r}.")
    if kind == "reference":
        _check(name.removesuffix("_id"))
        target = more or f"{name.removesuffix('_id')}s"
        return Field(f"{name.removesuffix('_id')}_id", kind, optional, target=target)
    _check(name)
    values = _values(text, more) if kind == "enum" else ()
    return Field(name, kind, optional, values)


def _values(text: str, more: str) -> tuple[str, ...]:
    values = tuple(more.split(","))
    if len({*values}) < 2 or len({*values}) < len(values):  # noqa: PLR2004 - one is no choice
        raise StoppedError(
            f"An enum has two different values or more: status:enum:draft,sent, not {text}."
        )
    for value in values:
        if not VALUE.fullmatch(value) or len(value) > LONGEST_VALUE:
            raise StoppedError(
                f"{value!r} cannot be a value of an enum: it takes up to {LONGEST_VALUE} "
                "lower-case letters and digits, with - or _ between them."
            )
    return values


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise StoppedError(
            f"{name!r} cannot be the name of a field: it takes lower-case letters and digits, and "
            "_ between words, such as due_on."
        )
    if keyword.iskeyword(name):
        raise StoppedError(f"{name} is a keyword of Python: choose another name for the field.")
    if name in OWN:
        raise StoppedError(f"{name} is there without being asked for: leave it out.")
    if name in TAKEN or name.startswith("model_") or hasattr(BaseModel, name):
        raise StoppedError(
            f"{name} means something else in models or schemas: choose another name for the field."
        )
    if name in HIDING:
        raise StoppedError(
            f"{name} is the name of a type: choose another, {name}_value for instance."
        )
    if len(name) > LONGEST:
        raise StoppedError(f"{name} is longer than {LONGEST} characters: choose a shorter name.")
